/* Stands behind the text of the threads' library: four callers, shared and nested work, forks. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 300000, CALLERS = 4 };

static void kernel(int64_t n1, int64_t n0, char *const *p, const int64_t *s1, const int64_t *s0)
{
    for (int64_t i = 0; i < n1; i++)
        for (int64_t j = 0; j < n0; j++) {
            const double x = *(double *)(p[0] + i * s1[0] + j * s0[0]);
            *(double *)(p[1] + i * s1[1] + j * s0[1]) = 2 * x;
            *(double *)(p[2] + i * s1[2] + j * s0[2]) += x;
        }
}

static int64_t part(char *to, const char *partial)
{
    if (!to)
        return sizeof(double);
    *(double *)to = partial ? *(double *)to + *(const double *)partial : 0;
    return 0;
}

static void inner(void *job, int64_t i, int worker) { ((int64_t *)job)[i]++; (void)worker; }

static void outer(void *job, int64_t i, int worker)
{
    int64_t counts[50] = {0};
    tc_the_pool.run(inner, counts, 50, 4);
    for (int j = 0; j < 50; j++)
        ((int64_t *)job)[i] += counts[j];
    (void)worker;
}

static int check(void)
{
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), sum = 1;
    int wrong = 0;
    for (int i = 0; i < N; i++)
        x[i] = i % 7;
    int64_t e[] = {N}, s[] = {8, 8, 0};
    char *p[] = {(char *)x, (char *)y, (char *)&sum};
    tc_part *const parts[] = {NULL, TC_STORED, part};
    tc_the_pool.nest(kernel, 1, 3, e, s, p, parts, 1e6);
    double wanted = 1;
    for (int i = 0; i < N; i++) {
        wanted += i % 7;
        wrong += y[i] != 2 * (i % 7);
    }
    int64_t counts[40] = {0};
    tc_the_pool.run(outer, counts, 40, 4);
    for (int i = 0; i < 40; i++)
        wrong += counts[i] != 50;
    free(x);
    free(y);
    return wrong + (sum != wanted);
}

static void *caller(void *nothing)
{
    int64_t wrong = 0;
    for (int i = 0; i < 20; i++) {
        tc_pool_set(2 + i % 3, 4, 0);
        wrong += check();
    }
    return (void *)wrong;
}

int main(void)
{
    int64_t wrong = 0;
    tc_pool_set(4, 4, 0);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[CALLERS];
        for (int i = 0; i < CALLERS; i++)
            pthread_create(threads + i, NULL, caller, NULL);
        for (int i = 0; i < CALLERS; i++) {
            void *found;
            pthread_join(threads[i], &found);
            wrong += (int64_t)found;
        }
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0)
            _exit(round == 0 ? check() != 0 || tc_pool_started() == 0 : 0);
        int status = 0;
        waitpid(child, &status, 0);
        wrong += status != 0;
    }
    if (wrong == 0)
        puts("finished");
    return wrong != 0;
}
