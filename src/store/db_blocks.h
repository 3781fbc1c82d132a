/*
 * db_blocks: small blocks for SQLite, kept for their next use.
 */
#ifndef STORE_DB_BLOCKS_H
#define STORE_DB_BLOCKS_H

/* Before the first connection; later it changes nothing. From then on SQLite is for one thread. */
void db_keep_blocks(void);

#endif
