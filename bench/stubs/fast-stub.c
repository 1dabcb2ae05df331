/*
 * A fast stand-in for authentik's REST API, for load tests of what stands in front of it.
 *
 * Answers GET /api/v3/sources/user_connections/plex/{id}/ and the list of the same path in the shape of
 * authentik 2025.8, from one thread over epoll, with keep-alive and pipelining.
 *
 * Who sees what is in the bearer token: "d1000v3-anything" is a caller of a directory of 1000 connections
 * (keys 1 to 1000) who may see 3 of them; "d1000-anything" sees all. Any other token is
 * refused.
 *
 *   fast-stub [--port N]
 *
 * Prints {"url":"http://127.0.0.1:PORT"} once it listens.
 *   GET /__stub/stats                      counters as JSON
 *   GET /__stub/reset?delay_us=N&chunked=1  counters to zero; the delay of every answer, and whether it is sent in
 *                                          chunks, from now on
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_DIRECTORY 100000
#define MAX_CONNECTIONS 20000
#define MAX_HEADER_BYTES 65536
#define PREFIX "/api/v3/sources/user_connections/plex/"
#define ANSWER_HEADERS                                                          \
  "Content-Type: application/json\r\nVary: Accept-Encoding\r\nVary: Cookie\r\n" \
  "Allow: GET, PUT, PATCH, DELETE, HEAD, OPTIONS\r\n"                           \
  "Referrer-Policy: same-origin\r\nX-Authentik-Id: 00000000000000000000000000000000\r\n" \
  "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nX-Powered-By: authentik\r\n"

static const char SOURCE_AND_TAIL_FORMAT[] =
    "{\"pk\":%d,\"user\":%d,\"source\":\"7a1c4a0e-6c0b-4f57-9d0e-2b8a0f6f3c11\",\"source_obj\":{"
    "\"pk\":\"7a1c4a0e-6c0b-4f57-9d0e-2b8a0f6f3c11\",\"name\":\"Plex\",\"slug\":\"plex\",\"enabled\":true,"
    "\"authentication_flow\":\"0d3f2f5a-8a51-4d3b-9a0e-5c9f3a1b7e10\",\"enrollment_flow\":null,"
    "\"user_property_mappings\":[\"3e9b1f62-7c44-4a8e-9c1d-0a5b6c7d8e9f\"],\"group_property_mappings\":[],"
    "\"component\":\"\",\"verbose_name\":\"source\",\"verbose_name_plural\":\"sources\","
    "\"meta_model_name\":\"authentik_core.source\",\"policy_engine_mode\":\"any\","
    "\"user_matching_mode\":\"identifier\",\"managed\":null,"
    "\"user_path_template\":\"goauthentik.io/sources/%%(slug)s\",\"icon\":null},"
    "\"identifier\":\"%d\",\"created\":\"2024-09-12T08:31:22.104982Z\","
    "\"last_updated\":\"2025-08-21T09:14:03.512734Z\"}";

struct connection {
  int fd;
  uint32_t generation;
  bool wants_write;
  size_t in_length, in_capacity, out_length, out_offset, out_capacity;
  char *in, *out;
};

struct text {
  const char *bytes;
  size_t length;
};

struct caller {
  long directory, visible;
  bool bearer, known;
};

/* An answer that waits for its time; answers wait equally long, so a ring in order of arrival is enough. */
struct waiting {
  uint64_t due_ns;
  int fd;
  uint32_t generation;
  char *answer;
  size_t length;
};

static struct connection *connections[MAX_CONNECTIONS];
static struct text rows[MAX_DIRECTORY + 1], answers[2][MAX_DIRECTORY + 1];
static struct waiting *ring;
static size_t ring_capacity, ring_head, ring_count;
static uint64_t delay_ns;
static bool chunked;
static uint64_t calls, retrieves, lists, listed_rows, open_connections;
static int epoll_fd, timer_fd;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *must(void *pointer) {
  if (!pointer) {
    fputs("fast-stub: out of memory\n", stderr);
    exit(1);
  }
  return pointer;
}

static struct text row_of(long pk) {
  if (!rows[pk].bytes) {
    char buffer[2048];
    int length = snprintf(buffer, sizeof buffer, SOURCE_AND_TAIL_FORMAT, (int)pk, (int)(1001 + (pk - 1) % 200), (int)(10000000 + pk));
    rows[pk].bytes = must(strndup(buffer, (size_t)length));
    rows[pk].length = (size_t)length;
  }
  return rows[pk];
}

/* A whole answer, with a length or in chunks of at most 2 KiB, to be freed. */
static struct text compose(const char *status, const char *body, size_t body_length) {
  size_t capacity = body_length + body_length / 2048 * 16 + 1024, length;
  char *whole = must(malloc(capacity));
  length = (size_t)snprintf(whole, capacity, "HTTP/1.1 %s\r\n" ANSWER_HEADERS, status);
  if (!chunked) {
    length += (size_t)sprintf(whole + length, "Content-Length: %zu\r\n\r\n", body_length);
    memcpy(whole + length, body, body_length);
    return (struct text){whole, length + body_length};
  }
  length += (size_t)sprintf(whole + length, "Transfer-Encoding: chunked\r\n\r\n");
  for (size_t sent = 0; sent < body_length;) {
    size_t size = body_length - sent < 2048 ? body_length - sent : 2048;
    length += (size_t)sprintf(whole + length, "%zx\r\n", size);
    memcpy(whole + length, body + sent, size);
    memcpy(whole + length + size, "\r\n", 2);
    length += size + 2;
    sent += size;
  }
  memcpy(whole + length, "0\r\n\r\n", 5);
  return (struct text){whole, length + 5};
}

static struct text answer_of(long pk) {
  struct text *kept = &answers[chunked][pk];
  if (!kept->bytes) *kept = compose("200 OK", row_of(pk).bytes, row_of(pk).length);
  return *kept;
}

static void reserve(char **buffer, size_t *capacity, size_t needed) {
  if (needed <= *capacity) return;
  size_t grown = *capacity ? *capacity : 4096;
  while (grown < needed) grown *= 2;
  *buffer = must(realloc(*buffer, grown));
  *capacity = grown;
}

static void drop(struct connection *c) {
  connections[c->fd] = NULL;
  close(c->fd);
  free(c->in);
  free(c->out);
  free(c);
  open_connections--;
}

static void watch(struct connection *c, bool write_too) {
  if (c->wants_write == write_too) return;
  c->wants_write = write_too;
  struct epoll_event event = {.events = EPOLLIN | (write_too ? EPOLLOUT : 0u), .data.fd = c->fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

/* False when the connection is gone. */
static bool flush(struct connection *c) {
  while (c->out_offset < c->out_length) {
    ssize_t sent = send(c->fd, c->out + c->out_offset, c->out_length - c->out_offset, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        watch(c, true);
        return true;
      }
      drop(c);
      return false;
    }
    c->out_offset += (size_t)sent;
  }
  c->out_offset = c->out_length = 0;
  watch(c, false);
  return true;
}

static void put(struct connection *c, const char *bytes, size_t length) {
  reserve(&c->out, &c->out_capacity, c->out_length + length);
  memcpy(c->out + c->out_length, bytes, length);
  c->out_length += length;
}

static void arm_timer(void) {
  if (!ring_count) return;
  uint64_t due = ring[ring_head].due_ns;
  struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void answer(struct connection *c, const char *bytes, size_t length) {
  if (!delay_ns) {
    put(c, bytes, length);
    return;
  }
  if (ring_count == ring_capacity) {
    size_t grown = ring_capacity ? ring_capacity * 2 : 1024;
    struct waiting *larger = must(malloc(grown * sizeof *larger));
    for (size_t i = 0; i < ring_count; i++) larger[i] = ring[(ring_head + i) % ring_capacity];
    free(ring);
    ring = larger;
    ring_capacity = grown;
    ring_head = 0;
  }
  char *copy = must(malloc(length));
  memcpy(copy, bytes, length);
  ring[(ring_head + ring_count) % ring_capacity] =
      (struct waiting){now_ns() + delay_ns, c->fd, c->generation, copy, length};
  ring_count++;
  if (ring_count == 1) arm_timer();
}

static void release_due(void) {
  uint64_t expirations;
  if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN) return;
  uint64_t now = now_ns();
  while (ring_count && ring[ring_head].due_ns <= now) {
    struct waiting w = ring[ring_head];
    ring_head = (ring_head + 1) % ring_capacity;
    ring_count--;
    struct connection *c = connections[w.fd];
    if (c && c->generation == w.generation) {
      put(c, w.answer, w.length);
      flush(c);
    }
    free(w.answer);
  }
  arm_timer();
}

static void answer_json(struct connection *c, const char *status, const char *body) {
  struct text whole = compose(status, body, strlen(body));
  answer(c, whole.bytes, whole.length);
  free((char *)whole.bytes);
}

static struct caller caller_of(const char *head, const char *end) {
  struct caller caller = {0, MAX_DIRECTORY, false, false};
  for (const char *line = head; line && line < end; line = memchr(line, '\n', (size_t)(end - line))) {
    if (*line == '\n') line++;
    if ((*line | 32) != 'a' || end - line < 22 || strncasecmp(line, "authorization: bearer ", 22)) continue;
    caller.bearer = true;
    const char *p = line + 22;
    if (*p == 'd' && p[1] >= '0' && p[1] <= '9') {
      char *after;
      caller.directory = strtol(p + 1, &after, 10);
      if (*after == 'v') caller.visible = strtol(after + 1, &after, 10);
      caller.known = *after == '-';
    }
    if (caller.directory > MAX_DIRECTORY) caller.directory = MAX_DIRECTORY;
    break;
  }
  if (caller.visible > caller.directory) caller.visible = caller.directory;
  return caller;
}

/* The rank-th visible key, from 1. The visible ones are spread evenly over the directory. */
static long visible_pk(struct caller caller, long rank) {
  return (rank * caller.directory + caller.visible - 1) / caller.visible;
}

static bool may_see(struct caller caller, long pk) {
  if (pk < 1 || pk > caller.directory || caller.visible < 1) return false;
  return visible_pk(caller, pk * caller.visible / caller.directory) == pk;
}

static long query_number(const char *query, const char *end, const char *name, long otherwise) {
  size_t length = strlen(name);
  for (const char *p = query; p + length < end; p++)
    if ((p[-1] == '?' || p[-1] == '&') && !strncmp(p, name, length) && p[length] == '=') return strtol(p + length + 1, NULL, 10);
  return otherwise;
}

static void answer_list(struct connection *c, struct caller caller, const char *query, const char *end) {
  long size = query_number(query, end, "page_size", 100), page = query_number(query, end, "page", 1);
  if (size < 1) size = 100;
  long pages = caller.visible ? (caller.visible + size - 1) / size : 1;
  lists++;
  if (page < 1 || page > pages) {
    answer_json(c, "404 Not Found", "{\"detail\":\"Invalid page.\"}");
    return;
  }
  long first = (page - 1) * size + 1, last = page * size < caller.visible ? page * size : caller.visible;
  static char *body;
  static size_t capacity;
  size_t length = 0;
  reserve(&body, &capacity, 4096);
  length += (size_t)sprintf(body,
                            "{\"pagination\":{\"next\":%ld,\"previous\":%ld,\"count\":%ld,\"current\":%ld,"
                            "\"total_pages\":%ld,\"start_index\":%ld,\"end_index\":%ld},\"results\":[",
                            page < pages ? page + 1 : 0, page - 1, caller.visible, page, pages,
                            caller.visible ? first : 0, last);
  for (long rank = first; rank <= last; rank++) {
    struct text row = row_of(visible_pk(caller, rank));
    reserve(&body, &capacity, length + row.length + 64);
    if (rank > first) body[length++] = ',';
    memcpy(body + length, row.bytes, row.length);
    length += row.length;
    listed_rows++;
  }
  length += (size_t)sprintf(body + length, "],\"autocomplete\":{}}");
  answer_json(c, "200 OK", body);
}

static void answer_control(struct connection *c, const char *path, const char *end) {
  char body[256], whole[512];
  if (!strncmp(path, "/__stub/reset", 13)) {
    calls = retrieves = lists = listed_rows = 0;
    delay_ns = (uint64_t)query_number(path + 1, end, "delay_us", (long)(delay_ns / 1000)) * 1000;
    chunked = query_number(path + 1, end, "chunked", chunked);
  }
  int length = snprintf(body, sizeof body,
                        "{\"calls\":%lu,\"retrieves\":%lu,\"lists\":%lu,\"rows\":%lu,\"inFlight\":%zu,\"connections\":%lu}",
                        calls, retrieves, lists, listed_rows, ring_count, open_connections);
  int total = snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                       length, body);
  put(c, whole, (size_t)total);
}

static void handle(struct connection *c, const char *request, const char *end) {
  const char *path = memchr(request, ' ', (size_t)(end - request));
  const char *line_end = memchr(request, '\n', (size_t)(end - request));
  if (!path || !line_end) return;
  path++;
  const size_t prefix = sizeof PREFIX - 1;
  if (strncmp(path, "/__stub/", 8)) calls++;
  if (!strncmp(path, PREFIX, prefix)) {
    struct caller caller = caller_of(line_end, end);
    const char *rest = path + prefix;
    if (!caller.known) {
      answer_json(c, "403 Forbidden",
                  caller.bearer ? "{\"detail\":\"Token invalid/expired\"}"
                                : "{\"detail\":\"Authentication credentials were not provided.\"}");
    } else if (*rest >= '0' && *rest <= '9') {
      long pk = strtol(rest, NULL, 10);
      retrieves++;
      if (may_see(caller, pk)) {
        struct text whole = answer_of(pk);
        answer(c, whole.bytes, whole.length);
      } else {
        answer_json(c, "404 Not Found", "{\"detail\":\"No UserPlexSourceConnection matches the given query.\"}");
      }
    } else {
      answer_list(c, caller, rest + 1, line_end);
    }
  } else if (!strncmp(path, "/__stub/", 8)) {
    answer_control(c, path, line_end);
  } else {
    answer_json(c, "404 Not Found", "{\"detail\":\"Not found.\"}");
  }
}

static void receive(struct connection *c) {
  for (;;) {
    reserve(&c->in, &c->in_capacity, c->in_length + 4096);
    ssize_t got = recv(c->fd, c->in + c->in_length, c->in_capacity - c->in_length - 1, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK) || c->in_length > MAX_HEADER_BYTES) {
      drop(c);
      return;
    }
    if (got < 0) break;
    c->in_length += (size_t)got;
    c->in[c->in_length] = 0;
    if (c->in_length < c->in_capacity - 1) break;
  }
  char *start = c->in;
  for (;;) {
    char *blank = memmem(start, c->in_length - (size_t)(start - c->in), "\r\n\r\n", 4);
    if (!blank) break;
    handle(c, start, blank + 2);
    start = blank + 4;
  }
  c->in_length -= (size_t)(start - c->in);
  memmove(c->in, start, c->in_length);
  flush(c);
}

static void accept_all(int listener) {
  static uint32_t generation;
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= MAX_CONNECTIONS) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = must(calloc(1, sizeof *c));
    c->fd = fd;
    c->generation = ++generation;
    connections[fd] = c;
    open_connections++;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  int port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {MAX_CONNECTIONS, MAX_CONNECTIONS};
  setrlimit(RLIMIT_NOFILE, &files);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096) ||
      getsockname(listener, (struct sockaddr *)&address, &length)) {
    perror("fast-stub");
    return 1;
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = timer_fd;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event);
  printf("{\"url\":\"http://127.0.0.1:%d\"}\n", ntohs(address.sin_port));
  fflush(stdout);

  struct epoll_event events[512];
  for (;;) {
    int count = epoll_wait(epoll_fd, events, 512, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
      } else if (fd == timer_fd) {
        release_due();
      } else if (connections[fd]) {
        if (events[i].events & (EPOLLHUP | EPOLLERR)) {
          drop(connections[fd]);
          continue;
        }
        if ((events[i].events & EPOLLOUT) && !flush(connections[fd])) continue;
        if (events[i].events & EPOLLIN) receive(connections[fd]);
      }
    }
  }
}
