/* Matrix products on strided arrays: small ones in line, others by the BLAS of the table, whatever the strides. */
#ifndef TC_BLAS_INT
#define TC_BLAS_INT int
#endif
typedef TC_BLAS_INT tc_int;

/* Below these a library works on one thread anyway: multiplications of a product, elements of a matrix times a vector. */
enum { tc_alone_gemm = 1 << 16, tc_alone_gemv = 1 << 12 };
/* From here on a product may be done by blocks, by our own threads. */
enum { tc_large_gemm = 8000000 };
/* Deeper products than this are not added to what is there before they are whole. */
enum { tc_deep = 256 };

/* How a matrix of r x c elements lies in memory: 1 rows are contiguous, 2 columns are, 0 neither; sets the leading
   dimension.  Extents of 1 leave the stride free. */
static int tc_layout(int64_t r, int64_t c, int64_t s0, int64_t s1, int64_t size, int64_t *ld)
{
    if ((s1 == size || c == 1) && (r == 1 || (s0 % size == 0 && s0 / size >= c))) {
        *ld = r == 1 ? (c > 1 ? c : 1) : s0 / size;
        return 1;
    }
    if ((s0 == size || r == 1) && (c == 1 || (s1 % size == 0 && s1 / size >= r))) {
        *ld = c == 1 ? (r > 1 ? r : 1) : s1 / size;
        return 2;
    }
    return 0;
}

#define TC_AT(T, p, i, s) (*(T *)((p) + (i) * (s)))

/* Products without a library: any strides, for small sizes and for types that no BLAS has. */
#define TC_PRODUCT(T, N)                                                                                               \
    static void tc_product_##N(int64_t m, int64_t n, int64_t k, T alpha, const char *a, int64_t a0, int64_t a1,        \
                               const char *b, int64_t b0, int64_t b1, T beta, char *c, int64_t c0, int64_t c1)         \
    {                                                                                                                  \
        const int64_t z = sizeof(T);                                                                                   \
        for (int64_t i = 0; i < m; i++) {                                                                              \
            const char *ai = a + i * a0;                                                                               \
            char *ci = c + i * c0;                                                                                     \
            if (c1 == z && b1 == z && n > 1) {                                                                         \
                T *row = (T *)ci;                                                                                      \
                if (beta == (T)0)                                                                                      \
                    memset(row, 0, (size_t)(n * z));                                                                   \
                else if (beta != (T)1)                                                                                 \
                    for (int64_t j = 0; j < n; j++)                                                                    \
                        row[j] *= beta;                                                                                \
                for (int64_t l = 0; l < k; l++) {                                                                      \
                    const T w = (T)(alpha * *(const T *)(ai + l * a1));                                                \
                    const T *bl = (const T *)(b + l * b0);                                                             \
                    for (int64_t j = 0; j < n; j++)                                                                    \
                        row[j] += (T)(w * bl[j]);                                                                      \
                }                                                                                                      \
            } else                                                                                                     \
                for (int64_t j = 0; j < n; j++) {                                                                      \
                    const char *bj = b + j * b1;                                                                       \
                    T sum = 0;                                                                                         \
                    if (a1 == z && b0 == z)                                                                            \
                        for (int64_t l = 0; l < k; l++)                                                                \
                            sum += (T)(((const T *)ai)[l] * ((const T *)bj)[l]);                                       \
                    else                                                                                               \
                        for (int64_t l = 0; l < k; l++)                                                                \
                            sum += (T)(*(const T *)(ai + l * a1) * *(const T *)(bj + l * b0));                         \
                    T *to = (T *)(ci + j * c1);                                                                        \
                    *to = beta == (T)0 ? (T)(alpha * sum) : (T)(beta * *to + alpha * sum);                             \
                }                                                                                                      \
        }                                                                                                              \
    }

/* Copy of a matrix with contiguous rows, for what no BLAS call takes. */
#define TC_DENSE(T, N)                                                                                                 \
    static char *tc_dense_##N(int64_t r, int64_t c, const char *a, int64_t a0, int64_t a1)                             \
    {                                                                                                                  \
        T *to = (T *)malloc((size_t)(r * c) * sizeof(T) + 1);                                                          \
        if (to)                                                                                                        \
            for (int64_t i = 0; i < r; i++)                                                                            \
                for (int64_t j = 0; j < c; j++)                                                                        \
                    to[i * c + j] = *(const T *)(a + i * a0 + j * a1);                                                 \
        return (char *)to;                                                                                             \
    }

/* y = alpha a x + beta y */
#define TC_GEMV(T, N, CALL)                                                                                            \
    typedef void tc_gemv_f_##N(const char *, const tc_int *, const tc_int *, const T *, const T *, const tc_int *,     \
                               const T *, const tc_int *, const T *, T *, const tc_int *);                             \
    static int tc_gemv_##N(int64_t m, int64_t k, T alpha, const char *a, int64_t a0, int64_t a1, const char *x,        \
                           int64_t x0, T beta, char *y, int64_t y0)                                                    \
    {                                                                                                                  \
        const int64_t z = sizeof(T);                                                                                   \
        int64_t lda;                                                                                                   \
        const int la = tc_layout(m, k, a0, a1, z, &lda);                                                               \
        if (m == 0)                                                                                                    \
            return 0;                                                                                                  \
        if (k > 0 && tc_try_panel_##N(1, m, k, alpha, x, 0, x0, a, a1, a0, beta, y, 0, y0))                            \
            return 0;                                                                                                  \
        if (k == 0 || m * k <= 600 || !la || x0 % z || y0 % z || (x0 == 0 && k > 1) || (y0 == 0 && m > 1)) {           \
            tc_product_##N(m, 1, k, alpha, a, a0, a1, x, x0, z, beta, y, y0, z);                                       \
            return 0;                                                                                                  \
        }                                                                                                              \
        tc_gemv_f_##N *call = (tc_gemv_f_##N *)tc_table[CALL];                                                         \
        const tc_int im = (tc_int)(la == 1 ? k : m), in = (tc_int)(la == 1 ? m : k), ia = (tc_int)lda;                 \
        const tc_int ix = (tc_int)(k == 1 ? 1 : x0 / z), iy = (tc_int)(m == 1 ? 1 : y0 / z);                           \
        if (ix < 0)                                                                                                    \
            x += (k - 1) * x0;                                                                                         \
        if (iy < 0)                                                                                                    \
            y += (m - 1) * y0;                                                                                         \
        if (beta == (T)0) {                                                                                            \
            /* a BLAS may multiply what is there by 0, and NaN stays NaN */                                            \
            const int64_t step = (iy < 0 ? -iy : iy);                                                                  \
            for (int64_t i = 0; i < m; i++)                                                                            \
                ((T *)y)[i * step] = 0;                                                                                \
        }                                                                                                              \
        if (m * k >= tc_alone_gemv)                                                                                    \
            tc_single((tc_threads *)tc_table[TC_X_blas_threads], 1);                                                   \
        call(la == 1 ? "T" : "N", &im, &in, &alpha, (const T *)a, &ia, (const T *)x, &ix, &beta, (T *)y, &iy);         \
        if (m * k >= tc_alone_gemv)                                                                                    \
            tc_single((tc_threads *)tc_table[TC_X_blas_threads], 0);                                                   \
        return 0;                                                                                                      \
    }

/* c = alpha a b + beta c; returns 0, or 1 where memory ran out. */
#define TC_GEMM(T, N, CALL)                                                                                            \
    static int tc_gemm_##N(int64_t m, int64_t n, int64_t k, T alpha, const char *a, int64_t a0, int64_t a1,            \
                           const char *b, int64_t b0, int64_t b1, T beta, char *c, int64_t c0, int64_t c1);            \
    /* A deep product is summed up by itself, then added: a library adds block by block to what is there, and each time a\
       small step of a large parameter would be rounded to the parameter's own precision. */                           \
    static int tc_gemm_apart_##N(int64_t m, int64_t n, int64_t k, T alpha, const char *a, int64_t a0, int64_t a1,      \
                                 const char *b, int64_t b0, int64_t b1, T beta, char *c, int64_t c0, int64_t c1)       \
    {                                                                                                                  \
        const int64_t z = sizeof(T);                                                                                   \
        const int turned = c1 != z && c0 == z; /* the sum lies as c does */                                            \
        const int64_t outer = turned ? n : m, inner = turned ? m : n, so = turned ? c1 : c0, si = turned ? c0 : c1;    \
        T *sum = (T *)tc_block(m * n * z);                                                                             \
        if (!sum)                                                                                                      \
            return 1;                                                                                                  \
        const int failed = tc_gemm_##N(m, n, k, alpha, a, a0, a1, b, b0, b1, 0, (char *)sum, turned ? z : n * z,       \
                                       turned ? m * z : z);                                                            \
        for (int64_t i = 0; i < outer && !failed; i++) {                                                               \
            const T *from = sum + i * inner;                                                                           \
            char *to = c + i * so;                                                                                     \
            if (si == z)                                                                                               \
                _Pragma("omp simd") for (int64_t j = 0; j < inner; j++)                                                \
                    ((T *)to)[j] = (T)(beta * ((T *)to)[j] + from[j]);                                                 \
            else                                                                                                       \
                for (int64_t j = 0; j < inner; j++)                                                                    \
                    TC_AT(T, to, j, si) = (T)(beta * TC_AT(T, to, j, si) + from[j]);                                   \
        }                                                                                                              \
        free(sum);                                                                                                     \
        return failed;                                                                                                 \
    }                                                                                                                  \
    typedef void tc_gemm_f_##N(const char *, const char *, const tc_int *, const tc_int *, const tc_int *, const T *,  \
                               const T *, const tc_int *, const T *, const tc_int *, const T *, T *, const tc_int *);  \
    static int tc_gemm_##N(int64_t m, int64_t n, int64_t k, T alpha, const char *a, int64_t a0, int64_t a1,            \
                           const char *b, int64_t b0, int64_t b1, T beta, char *c, int64_t c0, int64_t c1)             \
    {                                                                                                                  \
        const int64_t z = sizeof(T), work = m * n * k;                                                                 \
        if (m == 0 || n == 0)                                                                                          \
            return 0;                                                                                                  \
        if (beta != (T)0 && k > tc_deep)                                                                               \
            return tc_gemm_apart_##N(m, n, k, alpha, a, a0, a1, b, b0, b1, beta, c, c0, c1);                           \
        if (k > 0 && tc_try_panel_##N(m, n, k, alpha, a, a0, a1, b, b0, b1, beta, c, c0, c1))                          \
            return 0;                                                                                                  \
        if (work <= 600 || k == 0 || (work <= 6000 && c1 == z && b1 == z && n >= 4)) {                                 \
            tc_product_##N(m, n, k, alpha, a, a0, a1, b, b0, b1, beta, c, c0, c1);                                     \
            return 0;                                                                                                  \
        }                                                                                                              \
        int64_t ld;                                                                                                    \
        if (n == 1 && tc_layout(m, k, a0, a1, z, &ld))                                                                 \
            return tc_gemv_##N(m, k, alpha, a, a0, a1, b, b0, beta, c, c0);                                            \
        if (m == 1 && tc_layout(n, k, b1, b0, z, &ld))                                                                 \
            return tc_gemv_##N(n, k, alpha, b, b1, b0, a, a1, beta, c, c1);                                            \
        if ((m <= 4 || n <= 4) && tc_try_skinny_##N(m, n, k, alpha, a, a0, a1, b, b0, b1, beta, c, c0, c1))            \
            return 0;                                                                                                  \
        int64_t lda, ldb, ldc;                                                                                         \
        int la = tc_layout(m, k, a0, a1, z, &lda), lb = tc_layout(k, n, b0, b1, z, &ldb);                              \
        const int lc = tc_layout(m, n, c0, c1, z, &ldc);                                                               \
        char *da = NULL, *db = NULL, *dc = NULL;                                                                       \
        int failed = 0;                                                                                                \
        if (!la) {                                                                                                     \
            a = da = tc_dense_##N(m, k, a, a0, a1);                                                                    \
            la = 1, lda = k;                                                                                           \
        }                                                                                                              \
        if (!lb) {                                                                                                     \
            b = db = tc_dense_##N(k, n, b, b0, b1);                                                                    \
            lb = 1, ldb = n;                                                                                           \
        }                                                                                                              \
        char *to = c;                                                                                                  \
        if (!lc) {                                                                                                     \
            to = dc = tc_dense_##N(m, n, c, c0, c1);                                                                   \
            ldc = n;                                                                                                   \
        }                                                                                                              \
        if (a && b && to) {                                                                                            \
            if (work > tc_alone_gemm)                                                                                  \
                tc_single((tc_threads *)tc_table[TC_X_blas_threads], 1);                                               \
            const int t = lc == 2;                                                                                     \
            const char *ta = la == (t ? 2 : 1) ? "N" : "T", *tb = lb == (t ? 2 : 1) ? "N" : "T";                       \
            const char *first = t ? ta : tb, *second = t ? tb : ta, *x = t ? a : b, *y = t ? b : a;                    \
            const int64_t m1 = t ? m : n, n1 = t ? n : m, ldx = t ? lda : ldb, ldy = t ? ldb : lda;                    \
            if (work >= tc_large_gemm && TC_POOL && ((tc_threads *)tc_table[TC_X_blas_threads])->set)                  \
                TC_POOL->gemm(tc_table[CALL], sizeof(tc_int) == 8, z, first, second, m1, n1, k, &alpha, x, ldx, y, ldy,\
                              &beta, to, ldc);                                                                         \
            else {                                                                                                     \
                tc_gemm_f_##N *call = (tc_gemm_f_##N *)tc_table[CALL];                                                 \
                const tc_int im = (tc_int)m1, in = (tc_int)n1, ik = (tc_int)k;                                         \
                const tc_int ia = (tc_int)ldx, ib = (tc_int)ldy, ic = (tc_int)ldc;                                     \
                call(first, second, &im, &in, &ik, &alpha, (const T *)x, &ia, (const T *)y, &ib, &beta, (T *)to, &ic); \
            }                                                                                                          \
            if (work > tc_alone_gemm)                                                                                  \
                tc_single((tc_threads *)tc_table[TC_X_blas_threads], 0);                                               \
            if (dc)                                                                                                    \
                for (int64_t i = 0; i < m; i++)                                                                        \
                    for (int64_t j = 0; j < n; j++)                                                                    \
                        TC_AT(T, c + i * c0, j, c1) = ((T *)dc)[i * n + j];                                            \
        } else                                                                                                         \
            failed = 1;                                                                                                \
        free(da);                                                                                                      \
        free(db);                                                                                                      \
        free(dc);                                                                                                      \
        return failed;                                                                                                 \
    }
