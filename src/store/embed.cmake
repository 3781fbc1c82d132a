# Writes the text of IN into OUT as the C string NAME[]:
# cmake -DIN=schema.sql -DOUT=schema_sql.c -DNAME=store_schema_sql -P embed.cmake
file(READ ${IN} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE ${OUT} "#include \"store/schema.h\"\n\nconst char ${NAME}[] =\n\t\"${text}\";\n")
