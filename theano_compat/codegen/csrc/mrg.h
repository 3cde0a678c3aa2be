/* MRG31k3p for many streams.  A block of streams is taken apart into one array per component, so that a round draws one
   number from each of them in vector lanes; 32-bit arithmetic is enough, for the multipliers are sums of powers of two. */
enum { tc_mrg_block = 256 };

typedef struct {
    uint32_t x[3][tc_mrg_block], y[3][tc_mrg_block], k[3][tc_mrg_block]; /* k: (2^15 + 1) y */
} tc_mrg;

#define TC_MRG_INLINE static inline __attribute__((always_inline))

/* s modulo m for s < 2 m: where s - m wraps below zero it is the larger one */
TC_MRG_INLINE uint32_t tc_mrg_less(uint32_t s, uint32_t m)
{
    const uint32_t t = s - m;
    return t < s ? t : s;
}

/* 2^b s modulo 2^31 - 1: what leaves at the top of 31 bits comes back at the bottom */
TC_MRG_INLINE uint32_t tc_mrg_turn(uint32_t s, int b)
{
    return ((s << b) & 0x7fffffffu) + (uint32_t)((int32_t)s >> (31 - b));
}

/* 2^15 s modulo 2^31 - 21069 */
TC_MRG_INLINE uint32_t tc_mrg_shift(uint32_t s)
{
    return tc_mrg_less(((s & 0xffffu) << 15) + 21069u * (uint32_t)((int32_t)s >> 16), 2147462579u);
}

/* The components of b states, the newest first in memory and in slot 2 here. */
TC_MRG_INLINE void tc_mrg_take(tc_mrg *s, const char *from, int64_t s0, int64_t s1, int64_t b)
{
    for (int64_t i = 0; i < b; i++, from += s0) {
        s->x[2][i] = *(const uint32_t *)from;
        s->x[1][i] = *(const uint32_t *)(from + s1);
        s->x[0][i] = *(const uint32_t *)(from + 2 * s1);
        s->y[2][i] = *(const uint32_t *)(from + 3 * s1);
        s->y[1][i] = *(const uint32_t *)(from + 4 * s1);
        s->y[0][i] = *(const uint32_t *)(from + 5 * s1);
    }
}

TC_MRG_INLINE void tc_mrg_give(const tc_mrg *s, const int *slot, char *to, int64_t s0, int64_t s1, int64_t from, int64_t stop)
{
    const uint32_t *x0 = s->x[slot[0]], *x1 = s->x[slot[1]], *x2 = s->x[slot[2]];
    const uint32_t *y0 = s->y[slot[0]], *y1 = s->y[slot[1]], *y2 = s->y[slot[2]];
    for (int64_t i = from; i < stop; i++) {
        *(uint32_t *)(to + i * s0) = x0[i];
        *(uint32_t *)(to + i * s0 + s1) = x1[i];
        *(uint32_t *)(to + i * s0 + 2 * s1) = x2[i];
        *(uint32_t *)(to + i * s0 + 3 * s1) = y0[i];
        *(uint32_t *)(to + i * s0 + 4 * s1) = y1[i];
        *(uint32_t *)(to + i * s0 + 5 * s1) = y2[i];
    }
}

static void tc_mrg_load(tc_mrg *s, const char *from, int64_t s0, int64_t s1, int64_t b)
{
    if (s0 == 24 && s1 == 4)
        tc_mrg_take(s, from, 24, 4, b);
    else
        tc_mrg_take(s, from, s0, s1, b);
    for (int c = 0; c < 2; c++) { /* that of slot 2 comes with the first round */
        #pragma omp simd
        for (int64_t i = 0; i < b; i++)
            s->k[c][i] = tc_mrg_less(tc_mrg_shift(s->y[c][i]) + s->y[c][i], 2147462579u);
    }
}

/* States from .. stop - 1 of the block, after some rounds. */
static void tc_mrg_store(const tc_mrg *s, char *to, int64_t s0, int64_t s1, int64_t from, int64_t stop, int64_t rounds)
{
    const int slot[3] = {(int)((rounds + 2) % 3), (int)((rounds + 1) % 3), (int)(rounds % 3)};
    if (s0 == 24 && s1 == 4)
        tc_mrg_give(s, slot, to, 24, 4, from, stop);
    else
        tc_mrg_give(s, slot, to, s0, s1, from, stop);
}

/* Numbers of C type T, VALUE made of the integer z, 0 < z < 2^31. */
#define TC_MRG(NAME, T, VALUE)                                                                                         \
    /* one number from each of b streams, whose oldest components are in slot `old` */                                 \
    static void tc_mrg_round_##NAME(tc_mrg *s, int old, int64_t b, T *restrict to)                                     \
    {                                                                                                                  \
        const int mid = (old + 1) % 3, young = (old + 2) % 3;                                                          \
        uint32_t *restrict x3 = s->x[old], *restrict y3 = s->y[old], *restrict k1 = s->k[young];                       \
        const uint32_t *restrict x2 = s->x[mid], *restrict y1 = s->y[young], *restrict k3 = s->k[old];                 \
        _Pragma("omp simd") for (int64_t i = 0; i < b; i++)                                                            \
        {                                                                                                              \
            const uint32_t m1 = 2147483647u, m2 = 2147462579u, shifted = tc_mrg_shift(y1[i]);                          \
            const uint32_t turned = tc_mrg_less(tc_mrg_turn(x2[i], 22) + tc_mrg_turn(x3[i], 7), m1);                   \
            const uint32_t x = tc_mrg_less(turned + x3[i], m1), y = tc_mrg_less(k3[i] + shifted, m2);                  \
            k1[i] = tc_mrg_less(shifted + y1[i], m2);                                                                  \
            x3[i] = x;                                                                                                 \
            y3[i] = y;                                                                                                 \
            const uint32_t d = x - y - 1u, up = d + m1; /* one less than x - y, where it is above 0, else m1 more */   \
            const int32_t z = (int32_t)((up < d ? up : d) + 1u);                                                       \
            to[i] = VALUE;                                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    /* n numbers, number i from stream i % streams; their states move on */                                            \
    static void tc_mrg_draw_##NAME(char *state, int64_t s0, int64_t s1, int64_t streams, int64_t n, T *to)             \
    {                                                                                                                  \
        tc_mrg s;                                                                                                      \
        if (n == 0)                                                                                                    \
            return;                                                                                                    \
        const int64_t rounds = n / streams, more = n % streams, busy = rounds ? streams : more;                        \
        for (int64_t at = 0; at < busy; at += tc_mrg_block, state += tc_mrg_block * s0) {                              \
            const int64_t b = tc_min(busy - at, tc_mrg_block), last = tc_max(tc_min(more - at, b), 0);                 \
            tc_mrg_load(&s, state, s0, s1, b);                                                                         \
            for (int64_t r = 0; r < rounds; r++)                                                                       \
                tc_mrg_round_##NAME(&s, (int)(r % 3), b, to + r * streams + at);                                       \
            if (last > 0)                                                                                              \
                tc_mrg_round_##NAME(&s, (int)(rounds % 3), last, to + rounds * streams + at);                          \
            tc_mrg_store(&s, state, s0, s1, 0, last, rounds + 1);                                                      \
            tc_mrg_store(&s, state, s0, s1, last, b, rounds);                                                          \
        }                                                                                                              \
    }
