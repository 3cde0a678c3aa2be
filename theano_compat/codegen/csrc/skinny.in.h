/* Products with few columns (at most 4): a library packs for wide ones and leaves most of its lanes empty here.  The
   vectors run along what is contiguous in the large factor, so every lane works.  @T@ is the element type, @N@ its name. */
#ifdef __AVX512F__
enum { tc_lanes_@N@ = 64 / sizeof(@T@), tc_deep_@N@ = 4 };
#else
enum { tc_lanes_@N@ = 32 / sizeof(@T@), tc_deep_@N@ = 2 };
#endif
enum { tc_depth_@N@ = 512, tc_apart_@N@ = 512 + 16 }; /* packed columns not a power of two apart: they share the cache */
typedef @T@ tc_vec_@N@ __attribute__((vector_size(sizeof(@T@) * tc_lanes_@N@), aligned(sizeof(@T@)), may_alias));
typedef @T@ tc_part_@N@ __attribute__((vector_size(16)));

#ifdef __clang__
#define TC_FUSED static
#define TC_FUSED_BODY _Pragma("clang fp contract(fast)")
#else
#define TC_FUSED static __attribute__((noinline, optimize("fp-contract=fast")))
#define TC_FUSED_BODY
#endif

/* Rows of `a` times packed columns: sums along the contiguous depth, R rows by J columns at a time. */
#define TC_SKINNY_ROWS(NAME, T, N, R, J)                                                                               \
    TC_FUSED void NAME(int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb, T *sum)                            \
    {                                                                                                                  \
        TC_FUSED_BODY                                                                                                  \
        tc_vec_##N s[R][J];                                                                                            \
        _Pragma("GCC unroll 8") for (int r = 0; r < R; r++)                                                            \
            _Pragma("GCC unroll 8") for (int j = 0; j < J; j++)                                                        \
                s[r][j] = (tc_vec_##N){0};                                                                             \
        int64_t l = 0;                                                                                                 \
        for (; l + tc_lanes_##N <= k; l += tc_lanes_##N) {                                                             \
            tc_vec_##N v[J];                                                                                           \
            _Pragma("GCC unroll 8") for (int j = 0; j < J; j++)                                                        \
                v[j] = *(const tc_vec_##N *)(b + j * ldb + l);                                                         \
            _Pragma("GCC unroll 8") for (int r = 0; r < R; r++) {                                                      \
                const tc_vec_##N x = *(const tc_vec_##N *)(a + r * lda + l);                                           \
                _Pragma("GCC unroll 8") for (int j = 0; j < J; j++)                                                    \
                    s[r][j] += x * v[j];                                                                               \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("GCC unroll 8") for (int r = 0; r < R; r++)                                                            \
            _Pragma("GCC unroll 8") for (int j = 0; j < J; j++) {                                                      \
                tc_part_##N part[sizeof(tc_vec_##N) / 16];                                                             \
                memcpy(part, &s[r][j], sizeof part);                                                                   \
                _Pragma("GCC unroll 8") for (int h = sizeof(tc_vec_##N) / 32; h > 0; h /= 2)                           \
                    _Pragma("GCC unroll 8") for (int i = 0; i < h; i++)                                                \
                        part[i] += part[i + h];                                                                        \
                T total = part[0][0] + part[0][1];                                                                     \
                for (int i = 2; i < 16 / (int)sizeof(T); i += 2)                                                       \
                    total += part[0][i] + part[0][i + 1];                                                              \
                for (int64_t t = l; t < k; t++)                                                                        \
                    total += a[r * lda + t] * b[j * ldb + t];                                                          \
                sum[r * 2 + j] = total;                                                                                \
            }                                                                                                          \
    }

/* Columns of `a` times rows of `b`: U vectors of results by J columns at a time. */
#define TC_SKINNY_COLUMNS(NAME, T, N, U, J)                                                                            \
    TC_FUSED void NAME(int64_t k, const T *a, int64_t lda, const T *b, int64_t ldb, T *sum)                            \
    {                                                                                                                  \
        TC_FUSED_BODY                                                                                                  \
        tc_vec_##N s[J][U];                                                                                            \
        _Pragma("GCC unroll 8") for (int j = 0; j < J; j++)                                                            \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                        \
                s[j][u] = (tc_vec_##N){0};                                                                             \
        for (int64_t l = 0; l < k; l++, a += lda, b += ldb) {                                                          \
            tc_vec_##N x[U];                                                                                           \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                        \
                x[u] = *(const tc_vec_##N *)(a + u * tc_lanes_##N);                                                    \
            _Pragma("GCC unroll 8") for (int j = 0; j < J; j++) {                                                      \
                const T w = b[j];                                                                                      \
                _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                    \
                    s[j][u] += x[u] * w;                                                                               \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("GCC unroll 8") for (int j = 0; j < J; j++)                                                            \
            _Pragma("GCC unroll 8") for (int u = 0; u < U; u++)                                                        \
                *(tc_vec_##N *)(sum + (j * U + u) * tc_lanes_##N) = s[j][u];                                           \
    }

TC_SKINNY_ROWS(tc_rows2_@N@, @T@, @N@, 4, 2)
TC_SKINNY_ROWS(tc_rows1_@N@, @T@, @N@, 4, 1)
TC_SKINNY_COLUMNS(tc_columns2_@N@, @T@, @N@, tc_deep_@N@, 2)
TC_SKINNY_COLUMNS(tc_columns1_@N@, @T@, @N@, tc_deep_@N@, 1)

/* c = alpha a b + beta c, where a is m x k with contiguous rows (a1 is one element; m is at least 4) or contiguous columns
   (a0 is; m is at least a block), and b has n <= 4 columns; strides in elements.  The last block of rows ends with the
   last row, overlaps its neighbour, and writes only what is new. */
static void tc_skinny_@N@(int64_t m, int64_t n, int64_t k, @T@ alpha, const @T@ *a, int64_t a0, int64_t a1, const @T@ *b,
                          int64_t b0, int64_t b1, @T@ beta, @T@ *c, int64_t c0, int64_t c1)
{
    enum { D = tc_depth_@N@, block = tc_deep_@N@ * tc_lanes_@N@ };
    __attribute__((aligned(64))) @T@ pack[4 * tc_apart_@N@], sum[2 * block];
    const int by_rows = a1 == 1;
    const int64_t r = by_rows ? 4 : block, p0 = by_rows ? 1 : 4, p1 = by_rows ? tc_apart_@N@ : 1;
    for (int64_t l0 = 0; l0 < k; l0 += D) {
        const int64_t d = tc_min(D, k - l0);
        const @T@ *al = a + l0 * a1, *bl = b + l0 * b0, old = l0 ? 1 : beta;
        for (int64_t l = 0; l < d; l++)
            for (int64_t j = 0; j < n; j++)
                pack[l * p0 + j * p1] = bl[l * b0 + j * b1];
        for (int64_t i = 0; i < m; i += r) {
            const int64_t from = tc_min(i, m - r);
            for (int64_t j = 0, w; j < n; j += w) {
                w = n - j >= 2 ? 2 : 1;
                if (by_rows)
                    (w == 2 ? tc_rows2_@N@ : tc_rows1_@N@)(d, al + from * a0, a0, pack + j * tc_apart_@N@, tc_apart_@N@, sum);
                else
                    (w == 2 ? tc_columns2_@N@ : tc_columns1_@N@)(d, al + from, a1, pack + j, 4, sum);
                const int64_t s0 = by_rows ? 2 : 1, s1 = by_rows ? 1 : r;
                for (int64_t p = i - from; p < r; p++) {
                    @T@ *to = c + (from + p) * c0 + j * c1;
                    if (old == 0)
                        for (int64_t q = 0; q < w; q++)
                            to[q * c1] = alpha * sum[p * s0 + q * s1];
                    else
                        for (int64_t q = 0; q < w; q++)
                            to[q * c1] = old * to[q * c1] + alpha * sum[p * s0 + q * s1];
                }
            }
        }
    }
}

/* Does it where that pays, for a product with few columns or, turned round, with few rows; tells whether it did. */
static int tc_try_skinny_@N@(int64_t m, int64_t n, int64_t k, @T@ alpha, const char *a, int64_t a0, int64_t a1, const char *b,
                             int64_t b0, int64_t b1, @T@ beta, char *c, int64_t c0, int64_t c1)
{
    const int64_t z = sizeof(@T@);
    if (n > 4 || m < n) {
        if (m > 4)
            return 0;
        const char *p = a;
        int64_t t = m;
        m = n, n = t, a = b, b = p;
        t = a0, a0 = b1, b1 = t;
        t = a1, a1 = b0, b0 = t;
        t = c0, c0 = c1, c1 = t;
    }
    /* column by column only what the caches hold, and four at a time what the second does: a library goes through memory more cleverly */
    const int rows = a1 == z && k >= 128 && m >= 4, columns = a0 == z && k >= 8 && m >= tc_deep_@N@ * tc_lanes_@N@;
    if (m * n * k > (1 << 24) || (a0 | a1 | b0 | b1 | c0 | c1) % z || !(rows || (columns && m * k * z <= (n > 2 ? 1 << 18 : 1 << 23))))
        return 0;
    tc_skinny_@N@(m, n, k, alpha, (const @T@ *)a, a0 / z, a1 / z, (const @T@ *)b, b0 / z, b1 / z, beta, (@T@ *)c, c0 / z,
                  c1 / z);
    return 1;
}
