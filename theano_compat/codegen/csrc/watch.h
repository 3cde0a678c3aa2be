/* Long loops ask now and then whether to go on.  Every loop counts its steps down to its next look at the clock, from one look to the
   next as many as take some milliseconds, and the first look that finds the last question long ago asks the next. */
#include <time.h>

#define TC_LEAST_STEPS 4          /* from the first look to the second */
#define TC_MOST_STEPS 512         /* between two looks: later steps may be slow ones */
#define TC_BETWEEN_LOOKS 10000000 /* nanoseconds, wanted */
#define TC_BETWEEN_POLLS 100000000

#ifdef CLOCK_MONOTONIC_COARSE /* Linux: some milliseconds coarse, and read in a fifth of the 35 ns */
#define TC_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define TC_CLOCK CLOCK_MONOTONIC
#endif

typedef struct {
    int64_t steps, time; /* from the last look to the next one; when the last one was, 0 before the first */
} tc_watch;

/* Returns how many steps to make before the next look, -1 where the call is to end. */
static __attribute__((noinline, cold)) int64_t tc_look(tc_frame *f, tc_watch *w)
{
    if (f->poll == NULL)
        return INT64_MAX;
    struct timespec t;
    clock_gettime(TC_CLOCK, &t);
    const int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec, took = now - w->time;
    if (f->polled == 0)
        f->polled = now;
    else if (now - f->polled >= TC_BETWEEN_POLLS) {
        f->polled = now;
        if (f->poll(f))
            return -1;
    }
    if (w->time == 0)
        w->steps = TC_LEAST_STEPS;
    else if (took < TC_BETWEEN_LOOKS / 32)
        w->steps = tc_min(w->steps * 32, TC_MOST_STEPS);
    else
        w->steps = tc_max(1, tc_min(w->steps * TC_BETWEEN_LOOKS / took, TC_MOST_STEPS));
    w->time = now;
    return w->steps;
}
