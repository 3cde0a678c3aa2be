/* Running a kernel over n dimensions: drop extents of 1, put small strides inside, merge what is contiguous,
   then walk the outer dimensions like a counter.  Kernels take the two innermost ones. */
/* Sums are made block by block: short ones keep the rounding errors of a lane small. */
#define TC_BLOCK 4096

/* -1: dimension a belongs outside b, 1: inside, 0: no opinion */
static int tc_order(int nop, const int64_t *a, const int64_t *b)
{
    int found = 0;
    for (int k = 0; k < nop; k++) {
        int64_t x = a[k] < 0 ? -a[k] : a[k], y = b[k] < 0 ? -b[k] : b[k];
        if (x == 0 || y == 0 || x == y)
            continue;
        if (x > y)
            return -1;
        found = 1;
    }
    return found;
}

/* Returns how many dimensions are left of e[nd] and s[nd * nop] (by dimension, then operand), -1 where there is no point. */
static int tc_merge(int nd, int nop, int64_t *e, int64_t *s)
{
    int n = 0;
    for (int d = 0; d < nd; d++) {
        if (e[d] == 0)
            return -1;
        if (e[d] != 1) {
            if (n != d) {
                e[n] = e[d];
                memcpy(s + (size_t)n * nop, s + (size_t)d * nop, nop * sizeof *s);
            }
            n++;
        }
    }
    for (int d = 1; d < n; d++)
        for (int c = d; c > 0 && tc_order(nop, s + (size_t)(c - 1) * nop, s + (size_t)c * nop) > 0; c--) {
            int64_t t = e[c];
            e[c] = e[c - 1];
            e[c - 1] = t;
            for (int k = 0; k < nop; k++) {
                t = s[c * nop + k];
                s[c * nop + k] = s[(c - 1) * nop + k];
                s[(c - 1) * nop + k] = t;
            }
        }
    for (int d = n - 2; d >= 0; d--) {
        int k = 0;
        while (k < nop && s[d * nop + k] == s[(d + 1) * nop + k] * e[d + 1])
            k++;
        if (k == nop) {
            e[d] *= e[d + 1];
            memcpy(s + (size_t)d * nop, s + (size_t)(d + 1) * nop, nop * sizeof *s);
            for (int c = d + 1; c < n - 1; c++) {
                e[c] = e[c + 1];
                memcpy(s + (size_t)c * nop, s + (size_t)(c + 1) * nop, nop * sizeof *s);
            }
            n--;
        }
    }
    return n;
}

/* On one thread; p[nop] is changed. */
static void tc_walk(tc_kernel *kernel, int n, int nop, const int64_t *e, const int64_t *s, char **p)
{
    const int64_t none[64] = {0};
    if (n == 0) {
        kernel(1, 1, p, none, none);
        return;
    }
    const int64_t *s0 = s + (size_t)(n - 1) * nop;
    int64_t n0 = e[n - 1];
    if (n == 1) {
        while (n0 > 2 * TC_BLOCK) {
            kernel(1, TC_BLOCK, p, none, s0);
            for (int k = 0; k < nop; k++)
                p[k] += TC_BLOCK * s0[k];
            n0 -= TC_BLOCK;
        }
        kernel(1, n0, p, none, s0);
        return;
    }
    const int64_t *s1 = s + (size_t)(n - 2) * nop;
    int64_t count[64] = {0};
    for (;;) {
        kernel(e[n - 2], n0, p, s1, s0);
        int d = n - 3;
        for (; d >= 0; d--) {
            const int64_t *sd = s + (size_t)d * nop;
            if (++count[d] < e[d]) {
                for (int k = 0; k < nop; k++)
                    p[k] += sd[k];
                break;
            }
            count[d] = 0;
            for (int k = 0; k < nop; k++)
                p[k] -= sd[k] * (e[d] - 1);
        }
        if (d < 0)
            return;
    }
}

/* e, s and p are changed; parts[nop] tells which operands are written and how partial results join, `cost` the
   nanoseconds of one point. */
TC_ONCE void tc_nest(tc_kernel *kernel, int nd, int nop, int64_t *e, int64_t *s, char **p, tc_part *const *parts,
                     double cost)
{
    const int n = tc_merge(nd, nop, e, s);
    if (n < 0)
        return;
    const tc_pool *pool = TC_POOL;
    double points = 1;
    for (int d = 0; d < n; d++)
        points *= (double)e[d];
    const int64_t least = pool ? __atomic_load_n(&pool->least, __ATOMIC_RELAXED) : 0;
    if (pool && (points * cost >= TC_WORTH || (least && points >= (double)least)))
        pool->nest(kernel, n, nop, e, s, p, parts, points * cost);
    else
        tc_walk(kernel, n, nop, e, s, p);
}
