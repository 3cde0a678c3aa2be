/* Positions from index arrays: one dimension's contribution to byte offsets, with bounds checked.
   Returns 0, or the position (plus 1) of the first bad index. */
#define TC_OFFSETS(T)                                                                                                   \
    static int64_t tc_offsets_##T(int64_t n, int64_t *to, const char *from, int64_t step, int64_t extent, int64_t size) \
    {                                                                                                                   \
        for (int64_t k = 0; k < n; k++) {                                                                               \
            int64_t i = (int64_t) * (const T *)(from + k * step);                                                       \
            if (!tc_inside(&i, extent))                                                                                 \
                return k + 1;                                                                                           \
            to[k] += i * size;                                                                                          \
        }                                                                                                               \
        return 0;                                                                                                       \
    }

/* The different elements of a vector of row numbers, in order, and the place of each element among them; returns how many there are.  `rows` and `place`
   have n elements, `seat` one for each row.  Without `seat`, and where it does not pay or cannot be, the elements themselves, n. */
#define TC_DISTINCT(T)                                                                                                  \
    static int64_t tc_distinct_##T(int64_t n, const char *from, int64_t step, int64_t extent, int64_t *rows,            \
                                   int64_t *place, int64_t *seat)                                                       \
    {                                                                                                                   \
        int64_t found = seat ? 0 : n;                                                                                   \
        if (seat)                                                                                                       \
            memset(seat, 0, (size_t)extent * sizeof *seat);                                                             \
        for (int64_t k = 0; k < n && found < n; k++) {                                                                  \
            int64_t i = (int64_t) * (const T *)(from + k * step);                                                       \
            if (!tc_inside(&i, extent))                                                                                 \
                found = n;                                                                                              \
            else {                                                                                                      \
                place[k] = i;                                                                                           \
                found += !seat[i];                                                                                      \
                seat[i] = 1;                                                                                            \
            }                                                                                                           \
        }                                                                                                               \
        if (!seat || 4 * found > 3 * n) {                                                                               \
            for (int64_t k = 0; k < n; k++) {                                                                           \
                rows[k] = (int64_t) * (const T *)(from + k * step);                                                     \
                place[k] = k;                                                                                           \
            }                                                                                                           \
            return n;                                                                                                   \
        }                                                                                                               \
        found = 0;                                                                                                      \
        for (int64_t i = 0; i < extent; i++)                                                                            \
            if (seat[i]) {                                                                                              \
                rows[found] = i;                                                                                        \
                seat[i] = found++;                                                                                      \
            }                                                                                                           \
        for (int64_t k = 0; k < n; k++)                                                                                 \
            place[k] = seat[place[k]];                                                                                  \
        return found;                                                                                                   \
    }
