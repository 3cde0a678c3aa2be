/* Running a kernel over n dimensions: drop extents of 1, put small strides inside, merge what is contiguous,
   then walk the outer dimensions like a counter.  Kernels take the two innermost ones. */
/* Sums are made block by block: short ones keep the rounding errors of a lane small. */
#define TC_BLOCK 4096

typedef void tc_kernel(int64_t n1, int64_t n0, char *const *p, const int64_t *s1, const int64_t *s0);

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

/* e[nd], s[nd * nop] (by dimension, then operand) and p[nop] are changed. */
static void tc_nest(tc_kernel *kernel, int nd, int nop, int64_t *e, int64_t *s, char **p)
{
    int n = 0;
    int64_t none[64] = {0};
    for (int d = 0; d < nd; d++) {
        if (e[d] == 0)
            return;
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
