/*
 * A server that costs as little as one can: a call is answered with a line of as many bytes as its argument
 * `bytes` says, newline included. It takes what one read brings and writes all answers to it at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *out;
static size_t used, room;

static void reserve(size_t more) {
  if (used + more <= room) return;
  room = (used + more) * 2;
  out = realloc(out, room);
  if (out == NULL) exit(1);
}

static void flush(void) {
  for (size_t done = 0; done < used;) {
    ssize_t wrote = write(1, out + done, used - done);
    if (wrote <= 0) exit(0);
    done += (size_t)wrote;
  }
  used = 0;
}

static void answer(const char *before, size_t filler, const char *after, const char *id, int id_length) {
  reserve(strlen(before) + filler + strlen(after) + (size_t)id_length + 64);
  used += (size_t)sprintf(out + used, "{\"result\":%s", before);
  memset(out + used, 'x', filler);
  used += filler;
  used += (size_t)sprintf(out + used, "%s,\"jsonrpc\":\"2.0\",\"id\":%.*s}\n", after, id_length, id);
}

/* `line` ends with a NUL. Answers have their id last, as the SDKs write them. */
static void take(char *line, size_t length) {
  char *id = NULL;
  for (char *at = line + length; at > line && id == NULL; at--)
    if (strncmp(at, "\"id\":", 5) == 0) id = at + 5;
  if (id == NULL) return;
  int id_length = (int)strcspn(id, ",}");
  char *bytes = strstr(line, "\"bytes\":");
  if (bytes != NULL) {
    const char *before = "{\"content\":[{\"type\":\"text\",\"text\":\"", *after = "\"}]}";
    /* {"result": + ,"jsonrpc":"2.0","id": + } + newline */
    size_t frame = strlen(before) + strlen(after) + 10 + 22 + (size_t)id_length + 2;
    answer(before, (size_t)atol(bytes + 8) - frame, after, id, id_length);
  } else if (strstr(line, "\"initialize\"") != NULL)
    answer("{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
           "\"serverInfo\":{\"name\":\"echo\",\"version\":\"1.0.0\"}}", 0, "", id, id_length);
  else if (strstr(line, "\"tools/list\"") != NULL)
    answer("{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\"}}]}", 0, "", id, id_length);
  else
    answer("{}", 0, "", id, id_length);
}

int main(void) {
  size_t size = 1 << 16, kept = 0;
  char *in = malloc(size);
  while (in != NULL) {
    if (kept == size && (in = realloc(in, size *= 2)) == NULL) return 1;
    ssize_t got = read(0, in + kept, size - kept);
    if (got <= 0) return 0;
    size_t end = kept + (size_t)got, start = 0;
    for (char *newline; (newline = memchr(in + start, '\n', end - start)) != NULL;) {
      *newline = 0;
      take(in + start, (size_t)(newline - in) - start);
      start = (size_t)(newline - in) + 1;
    }
    kept = end - start;
    memmove(in, in + start, kept);
    flush();
  }
  return 1;
}
