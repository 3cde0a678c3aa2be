/* Position of the largest element (NaN first of all) along one axis of contiguous rows. */
#define TC_ARGMAX(T, N, IS_FLOAT)                                                                                      \
    static inline int64_t tc_argmax_##N(int64_t n, const T *x)                                                         \
    {                                                                                                                  \
        T best = x[0];                                                                                                 \
        int64_t block = 0;                                                                                             \
        for (int64_t at = 0; at < n; at += 256) {                                                                      \
            const int64_t stop = at + 256 < n ? at + 256 : n;                                                          \
            T m = x[at];                                                                                               \
            int odd = 0;                                                                                               \
            _Pragma("omp simd reduction(max:m) reduction(|:odd)") for (int64_t j = at; j < stop; j++)                  \
            {                                                                                                          \
                m = x[j] > m ? x[j] : m;                                                                               \
                if (IS_FLOAT)                                                                                          \
                    odd |= x[j] != x[j];                                                                               \
            }                                                                                                          \
            if (odd)                                                                                                   \
                for (int64_t j = at; j < stop; j++)                                                                    \
                    if (x[j] != x[j])                                                                                  \
                        return j;                                                                                      \
            if (m > best) {                                                                                            \
                best = m;                                                                                              \
                block = at;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        while (x[block] != best)                                                                                       \
            block++;                                                                                                   \
        return block;                                                                                                  \
    }                                                                                                                  \
    /* the same for all of n rows of k elements at once, along the rows' index */                                      \
    static inline void tc_argmax_rows_##N(int64_t n, int64_t k, const char *x, int64_t step, T *best, int64_t *where)  \
    {                                                                                                                  \
        memcpy(best, x, (size_t)k * sizeof(T));                                                                        \
        memset(where, 0, (size_t)k * sizeof *where);                                                                   \
        for (int64_t i = 1; i < n; i++) {                                                                              \
            const T *row = (const T *)(x + i * step);                                                                  \
            _Pragma("omp simd") for (int64_t j = 0; j < k; j++)                                                        \
            {                                                                                                          \
                const T v = row[j], m = best[j];                                                                       \
                const int better = (v > m) | ((v != v) & (m == m));                                                    \
                best[j] = better ? v : m;                                                                              \
                where[j] = better ? i : where[j];                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
