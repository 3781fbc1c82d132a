# Writes the text of IN into OUT as a C string: cmake -DIN=schema.sql -DOUT=schema_sql.c -P embed.cmake
file(READ ${IN} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE ${OUT} "#include \"store/schema.h\"\n\nconst char store_schema_sql[] =\n\t\"${text}\";\n")
