/* Feeds a target with files, or with all files of a folder: `fuzz_NAME FILE|FOLDER…`. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

enum { INPUT_MAX = 16 << 20 };

static size_t count;

/* From memory of its own size, so that a read past its end is noticed. */
static void replay(const char *path)
{
	struct buf input;
	struct err err;

	buf_init(&input, INPUT_MAX);
	if (!file_read(path, &input, &err))
		die(EXIT_FAILED, "%s", err.text);
	uint8_t *bytes = malloc(input.len > 0 ? input.len : 1);

	if (bytes == NULL)
		BUG("out of memory");
	memcpy(bytes, input.data, input.len);
	LLVMFuzzerTestOneInput(bytes, input.len);
	free(bytes);
	buf_release(&input);
	count++;
}

static void replay_folder(const char *folder)
{
	struct file_names names = { .list = NULL };

	file_add_names(&names, folder, "");
	for (size_t i = 0; i < names.count; i++) {
		char *path = file_join(folder, names.list[i]);

		if (!file_is_dir(path))
			replay(path);
		mem_free(&path);
	}
	file_release_names(&names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (file_is_dir(argv[i]))
			replay_folder(argv[i]);
		else
			replay(argv[i]);
	}
	printf("%zu inputs\n", count);
	return count > 0 ? EXIT_OK : EXIT_FAILED;
}
