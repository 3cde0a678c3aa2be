/* Threads that wait for work, shared by all compiled functions of the process.

   One job at a time: who comes second, or from inside a job, does all of its own work itself.  Threads are started when
   they are first wanted, sleep when there is nothing to do, and end before the process forks (Python warns of a fork with
   threads), so that both processes start anew; those that are at work then are forgotten in the child.

   Where other programs use the machine, a helper may be put aside in the middle of its piece for longer than the whole job
   takes, or take the caller's own processor.  So a caller that did not run for a third of a job does the next ones alone,
   more of them each time. */
#include <pthread.h>
#include <fenv.h>
#include <signal.h>
#include <time.h>

enum { tc_most = 256, tc_patience = 2000, tc_first_pause = 3, tc_longest_pause = 10 };

typedef struct {
    tc_task *f;
    void *arg;
    int64_t tasks, next;
    int inside, joined, most; /* helpers at work, helpers that ever came, workers that may */
    fenv_t numerics;
} tc_job;

static pthread_mutex_t tc_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t tc_wake = PTHREAD_COND_INITIALIZER, tc_done = PTHREAD_COND_INITIALIZER;
static tc_job *tc_current; /* under the lock */
static pthread_t tc_helpers[tc_most];
static int tc_started, tc_stop; /* under the lock */
static int tc_limit = 1, tc_product_limit = 1, tc_busy;
static int tc_alone, tc_caution; /* jobs to be done alone now, and how often that was decided lately */
static int64_t tc_jobs;          /* how many were shared */

static void tc_work(tc_job *job, int worker)
{
    int64_t i;
    while ((i = __atomic_fetch_add(&job->next, 1, __ATOMIC_RELAXED)) < job->tasks)
        job->f(job->arg, i, worker);
}

static void *tc_helper(void *nothing)
{
    pthread_mutex_lock(&tc_lock);
    while (!tc_stop) {
        tc_job *job = tc_current;
        if (!job || job->joined + 1 >= job->most || __atomic_load_n(&job->next, __ATOMIC_RELAXED) >= job->tasks) {
            pthread_cond_wait(&tc_wake, &tc_lock);
            continue;
        }
        __atomic_fetch_add(&job->inside, 1, __ATOMIC_RELAXED);
        const int worker = ++job->joined;
        pthread_mutex_unlock(&tc_lock);
        fesetenv(&job->numerics);
        tc_work(job, worker);
        pthread_mutex_lock(&tc_lock);
        if (__atomic_sub_fetch(&job->inside, 1, __ATOMIC_RELEASE) == 0)
            pthread_cond_signal(&tc_done); /* the job may be gone once the lock is */
    }
    pthread_mutex_unlock(&tc_lock);
    return nothing;
}

/* Starts threads until there are `wanted`; under the lock. */
static void tc_start(int wanted)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (tc_started >= wanted || pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, 8 << 20);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
    while (tc_started < wanted && pthread_create(&tc_helpers[tc_started], &attributes, tc_helper, NULL) == 0)
        tc_started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static int tc_workers(int64_t tasks)
{
    return (int)tc_max(1, tc_min(tasks, __atomic_load_n(&tc_limit, __ATOMIC_RELAXED)));
}

static double tc_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Waits until no helper is inside and lets no other in. */
static void tc_close(tc_job *job)
{
    for (int i = 0; i < tc_patience && __atomic_load_n(&job->inside, __ATOMIC_RELAXED); i++)
        __asm__ volatile("" ::: "memory");
    pthread_mutex_lock(&tc_lock);
    tc_current = NULL;
    while (__atomic_load_n(&job->inside, __ATOMIC_ACQUIRE))
        pthread_cond_wait(&tc_done, &tc_lock);
    pthread_mutex_unlock(&tc_lock);
}

/* A job by many, started by who is busy. */
static void tc_share(tc_job *job)
{
    const double begin = tc_clock(CLOCK_MONOTONIC), ran = tc_clock(CLOCK_THREAD_CPUTIME_ID);
    pthread_mutex_lock(&tc_lock);
    tc_start(job->most - 1);
    tc_current = job;
    const int all = job->most - 1 >= tc_started;
    pthread_mutex_unlock(&tc_lock);
    if (all)
        pthread_cond_broadcast(&tc_wake);
    else
        for (int i = 1; i < job->most; i++)
            pthread_cond_signal(&tc_wake);
    tc_work(job, 0);
    tc_close(job);
    tc_jobs++;
    if (tc_clock(CLOCK_MONOTONIC) - begin > 1.5 * (tc_clock(CLOCK_THREAD_CPUTIME_ID) - ran) + 2e4) {
        __atomic_store_n(&tc_alone, 1 << (tc_first_pause + tc_caution), __ATOMIC_RELAXED);
        tc_caution += tc_first_pause + tc_caution < tc_longest_pause;
    } else if (tc_caution > 0)
        tc_caution--;
}

static void tc_run(tc_task *f, void *arg, int64_t tasks, int most)
{
    most = (int)tc_min(most, tc_workers(tasks));
    if (most > 1 && !__atomic_exchange_n(&tc_busy, 1, __ATOMIC_ACQUIRE)) {
        const int alone = __atomic_load_n(&tc_alone, __ATOMIC_RELAXED);
        tc_job job = {f, arg, tasks, 0, 0, 0, most, {0}};
        if (alone)
            __atomic_store_n(&tc_alone, alone - 1, __ATOMIC_RELAXED);
        else {
            fegetenv(&job.numerics);
            tc_share(&job);
        }
        __atomic_store_n(&tc_busy, 0, __ATOMIC_RELEASE);
        if (!alone)
            return;
    }
    for (int64_t i = 0; i < tasks; i++)
        f(arg, i, 0);
}

/* Before a fork: ends the helpers, unless they are at work for another thread. */
static void tc_before_fork(void)
{
    if (__atomic_exchange_n(&tc_busy, 1, __ATOMIC_ACQUIRE))
        return;
    pthread_mutex_lock(&tc_lock);
    tc_stop = 1;
    pthread_cond_broadcast(&tc_wake);
    pthread_mutex_unlock(&tc_lock);
    for (int i = 0; i < tc_started; i++)
        pthread_join(tc_helpers[i], NULL);
    tc_started = tc_stop = 0;
    __atomic_store_n(&tc_busy, 0, __ATOMIC_RELEASE);
}

static void tc_in_child(void)
{
    tc_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    tc_wake = tc_done = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    tc_current = NULL;
    tc_started = tc_stop = tc_busy = tc_alone = tc_caution = 0;
}

typedef struct {
    tc_range *f;
    void *arg;
    int64_t n, tasks;
} tc_pieces;

static void tc_piece(void *arg, int64_t i, int worker)
{
    const tc_pieces *t = arg;
    t->f(t->arg, t->n / t->tasks * i + tc_min(i, t->n % t->tasks), t->n / t->tasks * (i + 1) + tc_min(i + 1, t->n % t->tasks), worker);
}

/* How many pieces work is cut into where that does not change results: a few for each worker, none of them short. */
static int64_t tc_cuts(int64_t n, double work)
{
    const int64_t most = tc_workers(n) * (int64_t)4;
    return work < TC_WORTH ? 1 : tc_max(1, tc_min(tc_min(n, most), (int64_t)(work / (TC_WORTH / 4))));
}

static void tc_ranges(tc_range *f, void *arg, int64_t n, double work, int most)
{
    tc_pieces t = {f, arg, n, most > 1 && tc_workers(n) > 1 ? tc_cuts(n, work) : 1};
    if (n > 0)
        tc_run(tc_piece, &t, t.tasks, most);
}
