#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

/* An array handed to a segment: `shape` and `strides` (bytes) may point into its owner. */
typedef struct {
    char *data;
    const int64_t *shape;
    const int64_t *strides;
} tc_array;

/* An array that a segment hands back.  `shape` and `strides` are storage of the caller, one entry per
   dimension.  `base` tells who owns the memory behind `data`: -1 the block `block` made by `tc_new`, now
   the caller's; i >= 0 the input array i; -2 - k the block of result k. */
typedef struct {
    char *block;
    char *data;
    int64_t *shape;
    int64_t *strides;
    int64_t base;
    int64_t capacity; /* bytes that the caller lends in `block` before the call, 0 for none */
} tc_result;

/* Scratch memory that outlives a call: grows only. */
typedef struct {
    char *block;
    int64_t capacity;
} tc_slot;

/* Everything one call of one segment needs.  Frames are never shared by concurrent calls. */
typedef struct tc_frame {
    const tc_array *in;
    tc_result *out;
    tc_slot *slots;
    void *(*allocate)(int64_t bytes); /* for results; NULL means 64-byte aligned malloc memory */
    int (*poll)(struct tc_frame *);   /* asked about every 0.1 s by loops in time whether to end the call; NULL: they never are */
    int64_t polled;                   /* when, by a clock of nanoseconds; the caller sets it to 0 */
    int64_t error[8];                 /* code, node, then details by code */
} tc_frame;
