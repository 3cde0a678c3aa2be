#ifdef __linux__
#include <sys/mman.h>
#endif

/* Memory and errors.  Segments name these in every second line: copies of them would cost the compiler more than all else. */
#define TC_ONCE static __attribute__((noinline))
#define TC_MEMORY 1 /* ErrorCode.MEMORY */

TC_ONCE int64_t tc_bytes(int n, const int64_t *e, int64_t size)
{
    int64_t total = size;
    for (int i = 0; i < n; i++) {
        if (e[i] == 0)
            return 0;
        if (e[i] < 0 || __builtin_mul_overflow(total, e[i], &total))
            return INT64_MAX;
    }
    return total;
}

static inline char *tc_block(int64_t bytes)
{
    if (bytes < 0 || bytes > INT64_MAX - 128)
        return NULL;
    void *p = NULL;
    if (posix_memalign(&p, 64, (size_t)(bytes > 64 ? bytes : 64)))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= (1 << 21)) { /* few large pages are mapped in a fraction of the time of many small ones */
        const uintptr_t from = ((uintptr_t)p + 4095) & ~(uintptr_t)4095;
        madvise((void *)from, (size_t)((uintptr_t)p + (uintptr_t)bytes - from), MADV_HUGEPAGE);
    }
#endif
    return (char *)p;
}

TC_ONCE __attribute__((cold)) int32_t tc_fail(tc_frame *f, int64_t code, int64_t node, int64_t a, int64_t b, int64_t c, int64_t d,
                                                   int64_t e, int64_t g)
{
    const int64_t all[8] = {code, node, a, b, c, d, e, g};
    memcpy(f->error, all, sizeof all);
    return (int32_t)code;
}

/* What follows gives NULL where memory ran out, and then the error is there.
   Scratch memory: the slot's own block, or, where that is too small, that of one of the slots `idle`, bit by bit, which no one uses at present: the smallest
   that is large enough, else the largest, which grows.  The slots exchange their blocks then. */
TC_ONCE char *tc_scratch(tc_frame *f, int slot, int64_t bytes, uint64_t idle)
{
    tc_slot *s = f->slots + slot;
    if (s->capacity >= bytes && s->block != NULL)
        return s->block;
    tc_slot *best = s;
    for (tc_slot *o = f->slots; idle != 0; o++, idle >>= 1)
        if ((idle & 1) && (o->capacity >= bytes ? best->capacity < bytes || o->capacity < best->capacity : o->capacity > best->capacity))
            best = o;
    const tc_slot found = *best;
    *best = *s;
    *s = found;
    if (s->block == NULL || s->capacity < bytes) {
        free(s->block);
        s->capacity = 0;
        s->block = tc_block(bytes);
        if (s->block == NULL) {
            tc_fail(f, TC_MEMORY, 0, bytes, 0, 0, 0, 0, 0);
            return NULL;
        }
        s->capacity = bytes > 64 ? bytes : 64;
    }
    return s->block;
}

TC_ONCE char *tc_new(tc_frame *f, int k, int64_t bytes)
{
    tc_result *r = f->out + k;
    if (r->block != NULL && r->capacity >= bytes)
        return r->block;
    r->capacity = 0;
    r->block = f->allocate ? (char *)f->allocate(bytes) : tc_block(bytes);
    if (r->block == NULL)
        tc_fail(f, TC_MEMORY, 0, bytes, 0, 0, 0, 0, 0);
    return r->block;
}

/* Indexing as Python does it. */
static inline int64_t tc_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tc_max(int64_t a, int64_t b) { return a > b ? a : b; }

/* First element of a slice: -1 .. n - 1 going down, 0 .. n going up. */
static inline int64_t tc_first(int64_t n, int64_t start, int64_t step)
{
    if (start < 0)
        start += n;
    if (step > 0)
        return tc_min(tc_max(start, 0), n);
    return tc_min(tc_max(start, -1), n - 1);
}

/* How many elements from `first` (as tc_first gives it) to `stop`. */
static inline int64_t tc_count(int64_t first, int64_t stop, int64_t step)
{
    if (step > 0)
        return stop > first ? (stop - first - 1) / step + 1 : 0;
    return step < 0 && stop < first ? (first - stop - 1) / -step + 1 : 0;
}

static inline int tc_inside(int64_t *index, int64_t n)
{
    if (*index < 0)
        *index += n;
    return *index >= 0 && *index < n;
}
