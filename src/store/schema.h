/* schema: the texts of schema*.sql, written into the program at build. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

extern const char store_schema_sql[];    /* version 1 */
extern const char store_schema_2_sql[];  /* from 1 to 2 */
extern const char store_schema_3_sql[];  /* from 2 to 3 */
extern const char store_schema_4_sql[];  /* from 3 to 4 */
extern const char store_schema_5_sql[];  /* from 4 to 5 */
extern const char store_schema_6_sql[];  /* from 5 to 6 */
extern const char store_schema_7_sql[];  /* from 6 to 7 */
extern const char store_schema_8_sql[];  /* from 7 to 8 */
extern const char store_schema_9_sql[];  /* from 8 to 9 */
extern const char store_schema_10_sql[]; /* from 9 to 10 */

#endif
