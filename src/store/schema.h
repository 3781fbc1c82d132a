/* schema: the text of schema.sql, written into the program at build. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

extern const char store_schema_sql[];

#endif
