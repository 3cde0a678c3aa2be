/* The run time of compiled functions as an extension: arrays in, one C call without the interpreter lock, arrays out.

   Two types.  Segment is codegen/call.py's SegmentCall, in C: called with a list of values it returns a list of
   results.  FastCall is the whole of a plain call f(a, b): it checks the arguments, runs the one segment of the function, stores the
   updates of shared variables and returns what the user gets; where anything is not exactly as expected it returns NotImplemented before it
   has touched anything, and the general path takes over.

   abi.h stands before this text when it is compiled. */

#define PY_SSIZE_T_CLEAN
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <Python.h>
#include <pthread.h>
#include <structmember.h>
#include <numpy/arrayobject.h>

typedef struct {
    int typenum, ndim, scalar, written;
    unsigned long long ones; /* bit i: extent 1 in dimension i */
} array_spec;

/* Descriptors and scratch of one call at a time. */
typedef struct work {
    struct work *next;
    tc_frame frame;
    tc_array *in;
    tc_result *out;
    tc_slot *slots;
    int64_t *extents; /* shape and strides of every result */
    PyObject **held;  /* values kept alive during the call */
    PyThreadState *thread; /* while the segment runs without the interpreter lock */
    union number { double f64; float f32; int64_t i64; int32_t i32; int16_t i16; int8_t i8; } *numbers;
} work;

typedef struct {
    PyObject_HEAD
    int32_t (*function)(tc_frame *);
    int n_in, n_out, n_slots;
    array_spec *in, *out;
    work *free_list;
    PyObject *keep, *fail; /* the loaded library; called with the error record when a call fails */
} Segment;

static void free_work(Segment *self, work *w)
{
    for (int i = 0; i < self->n_slots; i++)
        free(w->slots[i].block);
    free(w->in); free(w->out); free(w->slots); free(w->extents); free(w->held); free(w->numbers); free(w);
}

static unsigned long main_thread; /* where Python runs the handlers of signals */

static void in_child(void) { main_thread = PyThread_get_thread_ident(); }

static int find_main_thread(void)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *thread = threading ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
    PyObject *number = thread ? PyObject_GetAttrString(thread, "ident") : NULL;
    if (number)
        main_thread = PyLong_AsUnsignedLong(number);
    Py_XDECREF(number);
    Py_XDECREF(thread);
    Py_XDECREF(threading);
    return PyErr_Occurred() || pthread_atfork(NULL, NULL, in_child) ? -1 : 0;
}

/* What long loops ask: runs the handlers of signals that have come, and ends the call if one raised an exception, which stays set. */
static int poll(tc_frame *frame)
{
    if (PyThread_get_thread_ident() != main_thread)
        return 0; /* without a wait for the lock */
    work *w = (work *)((char *)frame - offsetof(work, frame));
    PyEval_RestoreThread(w->thread);
    const int raised = PyErr_CheckSignals();
    w->thread = PyEval_SaveThread();
    return raised;
}

/* The exception is a signal handler's, not the fault of a node (`CompiledFunction._explain`). */
static void mark_interrupt(void)
{
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    PyErr_NormalizeException(&kind, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    if (PyObject_SetAttrString(value, "__from_signal__", Py_True) < 0)
        PyErr_Clear();
    PyErr_Restore(kind, value, trace);
}

static work *new_work(Segment *self)
{
    work *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    int dims = 0;
    for (int k = 0; k < self->n_out; k++)
        dims += self->out[k].ndim;
    w->in = calloc(self->n_in + 1, sizeof *w->in);
    w->out = calloc(self->n_out + 1, sizeof *w->out);
    w->slots = calloc(self->n_slots + 1, sizeof *w->slots);
    w->extents = calloc(2 * dims + 1, sizeof *w->extents);
    w->held = calloc(self->n_in + 1, sizeof *w->held);
    w->numbers = calloc(self->n_in + 1, sizeof *w->numbers);
    if (!w->in || !w->out || !w->slots || !w->extents || !w->held || !w->numbers) {
        free_work(self, w);
        return NULL;
    }
    int64_t *next = w->extents;
    for (int k = 0; k < self->n_out; k++) {
        w->out[k].shape = next;
        w->out[k].strides = next + self->out[k].ndim;
        next += 2 * self->out[k].ndim;
    }
    w->frame.in = w->in;
    w->frame.out = w->out;
    w->frame.slots = w->slots;
    w->frame.poll = poll;
    return w;
}

static work *take_work(Segment *self)
{
    work *w = self->free_list;
    if (w)
        self->free_list = w->next;
    else if (!(w = new_work(self)))
        PyErr_NoMemory();
    return w;
}

static void give_work(Segment *self, work *w)
{
    for (int i = 0; i < self->n_in; i++)
        Py_CLEAR(w->held[i]);
    w->next = self->free_list;
    self->free_list = w;
}

static void free_block(PyObject *capsule) { free(PyCapsule_GetPointer(capsule, NULL)); }

/* An array is as the segment expects it: exact type, rank, extents of 1, aligned, native, writable where it is changed. */
static inline int fits(PyObject *value, const array_spec *spec)
{
    if (!PyArray_CheckExact(value))
        return 0;
    PyArrayObject *a = (PyArrayObject *)value;
    if (PyArray_TYPE(a) != spec->typenum || PyArray_NDIM(a) != spec->ndim || !PyArray_ISALIGNED(a) || !PyArray_ISNOTSWAPPED(a))
        return 0;
    if (spec->written && !PyArray_ISWRITEABLE(a))
        return 0;
    for (int i = 0; i < spec->ndim; i++)
        if ((spec->ones >> i & 1) && PyArray_DIM(a, i) != 1)
            return 0;
    return 1;
}

static inline void lend(work *w, int i, PyObject *array)
{
    PyArrayObject *a = (PyArrayObject *)array;
    w->in[i].data = PyArray_BYTES(a);
    w->in[i].shape = (const int64_t *)PyArray_DIMS(a);
    w->in[i].strides = (const int64_t *)PyArray_STRIDES(a);
}

/* Turn the results of a successful call into objects.  Returns -1 with an exception set, all of them released. */
static int wrap(Segment *self, work *w, PyObject **lent, PyObject **found)
{
    PyObject *owners[64] = {0}, **owner = owners;
    int n = self->n_out, status = -1;
    if (n > 64 && !(owner = calloc(n, sizeof *owner))) {
        PyErr_NoMemory();
        return -1;
    }
    memset(found, 0, n * sizeof *found);
    for (int k = 0; k < n; k++)
        if (w->out[k].base == -1 && !(lent[k] && w->out[k].block == PyArray_BYTES((PyArrayObject *)lent[k]))) {
            owner[k] = PyCapsule_New(w->out[k].block, NULL, free_block);
            if (!owner[k])
                goto done;
            w->out[k].block = NULL;
        }
    for (int k = 0; k < n; k++) {
        tc_result *r = &w->out[k];
        const array_spec *spec = &self->out[k];
        PyObject *base, *made;
        if (r->base >= 0) {
            base = w->held[r->base];
            PyArrayObject *a = (PyArrayObject *)base;
            if (base && PyArray_Check(base) && PyArray_BYTES(a) == r->data && PyArray_NDIM(a) == spec->ndim && PyArray_TYPE(a) == spec->typenum) {
                int same = 1;
                for (int i = 0; i < spec->ndim; i++)
                    same &= PyArray_DIM(a, i) == r->shape[i] && (PyArray_STRIDE(a, i) == r->strides[i] || r->shape[i] <= 1);
                if (same) {
                    Py_INCREF(base);
                    found[k] = base;
                    continue;
                }
            }
        } else {
            int from = r->base == -1 ? k : (int)(-2 - r->base);
            if (from == k && !owner[k]) { /* the lent array itself */
                Py_INCREF(lent[k]);
                found[k] = lent[k];
                continue;
            }
            base = owner[from] ? owner[from] : lent[from];
        }
        PyArray_Descr *descr = PyArray_DescrFromType(spec->typenum);
        if (r->base >= 0 && !base) {
            /* a view of a number that was passed by value: it must outlive the call */
            made = PyArray_NewFromDescr(&PyArray_Type, descr, spec->ndim, (npy_intp *)r->shape, NULL, NULL, 0, NULL);
            if (!made)
                goto done;
            const size_t size = PyArray_ITEMSIZE((PyArrayObject *)made);
            for (npy_intp i = 0, count = PyArray_SIZE((PyArrayObject *)made); i < count; i++)
                memcpy(PyArray_BYTES((PyArrayObject *)made) + i * size, r->data, size);
        } else {
            const int writeable = r->base >= 0 && !PyArray_ISWRITEABLE((PyArrayObject *)base) ? 0 : NPY_ARRAY_WRITEABLE;
            made = PyArray_NewFromDescr(&PyArray_Type, descr, spec->ndim, (npy_intp *)r->shape, (npy_intp *)r->strides, r->data,
                                        writeable | NPY_ARRAY_ALIGNED, NULL);
            if (!made)
                goto done;
            Py_INCREF(base);
            if (PyArray_SetBaseObject((PyArrayObject *)made, base) < 0) {
                Py_DECREF(made);
                goto done;
            }
            PyArray_UpdateFlags((PyArrayObject *)made, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_F_CONTIGUOUS);
        }
        found[k] = made;
    }
    status = 0;
done:
    for (int k = 0; k < n; k++)
        Py_XDECREF(owner[k]);
    if (owner != owners)
        free(owner);
    if (status < 0)
        for (int k = 0; k < n; k++)
            Py_CLEAR(found[k]);
    return status;
}

static PyObject *error_record(work *w)
{
    PyObject *record = PyList_New(8);
    for (int i = 0; record && i < 8; i++) {
        PyObject *number = PyLong_FromLongLong(w->frame.error[i]);
        if (!number)
            Py_CLEAR(record);
        else
            PyList_SET_ITEM(record, i, number);
    }
    return record;
}

/* Run with descriptors filled in.  0: `found` holds new references.  -1: exception set.  1: the segment failed, *record is new. */
static int run(Segment *self, work *w, PyObject **found, PyObject **record)
{
    PyObject *few[16] = {0}, **lent = self->n_out <= 16 ? few : calloc(self->n_out, sizeof *lent);
    int status = -1;
    if (!lent) {
        PyErr_NoMemory();
        return -1;
    }
    for (int k = 0; k < self->n_out; k++) {
        w->out[k].block = NULL;
        w->out[k].capacity = 0;
        if (self->out[k].ndim == 0) { /* numbers go straight into an array of NumPy's own */
            lent[k] = PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(self->out[k].typenum), 0, NULL, NULL, NULL, 0, NULL);
            if (!lent[k])
                goto done;
            w->out[k].block = PyArray_BYTES((PyArrayObject *)lent[k]);
            w->out[k].capacity = PyArray_NBYTES((PyArrayObject *)lent[k]);
        }
    }
    w->frame.polled = 0;
    w->thread = PyEval_SaveThread();
    const int32_t code = self->function(&w->frame);
    PyEval_RestoreThread(w->thread);
    if (code) {
        for (int k = 0; k < self->n_out; k++)
            if (!(lent[k] && w->out[k].block == PyArray_BYTES((PyArrayObject *)lent[k])))
                free(w->out[k].block);
        if (PyErr_Occurred())
            mark_interrupt();
        else if ((*record = error_record(w)))
            status = 1;
    } else if ((status = wrap(self, w, lent, found)) < 0)
        for (int k = 0; k < self->n_out; k++) /* blocks that got no owner */
            if (w->out[k].base == -1 && !(lent[k] && w->out[k].block == PyArray_BYTES((PyArrayObject *)lent[k])))
                free(w->out[k].block);
done:
    for (int k = 0; k < self->n_out; k++)
        Py_XDECREF(lent[k]);
    if (lent != few)
        free(lent);
    return status;
}

/* ---- Segment -------------------------------------------------------------------------------------------------- */

static int read_specs(PyObject *list, array_spec **specs, int *n)
{
    Py_ssize_t size = PyList_Size(list);
    if (size < 0)
        return -1;
    *n = (int)size;
    *specs = calloc(size + 1, sizeof **specs);
    for (Py_ssize_t i = 0; *specs && i < size; i++) {
        array_spec *s = *specs + i;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "iiKpp", &s->typenum, &s->ndim, &s->ones, &s->scalar, &s->written))
            return -1;
    }
    return *specs ? 0 : (PyErr_NoMemory(), -1);
}

static void Segment_dealloc(Segment *self)
{
    PyObject_GC_UnTrack(self);
    while (self->free_list) {
        work *w = self->free_list;
        self->free_list = w->next;
        free_work(self, w);
    }
    free(self->in);
    free(self->out);
    Py_CLEAR(self->keep);
    Py_CLEAR(self->fail);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int Segment_traverse(Segment *self, visitproc visit, void *arg)
{
    Py_VISIT(self->keep);
    Py_VISIT(self->fail);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int Segment_clear(Segment *self)
{
    Py_CLEAR(self->fail);
    return 0;
}

static PyObject *Segment_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)kwargs;
    unsigned long long address;
    int n_slots;
    PyObject *in, *out, *keep, *fail;
    if (!PyArg_ParseTuple(args, "KiO!O!OO", &address, &n_slots, &PyList_Type, &in, &PyList_Type, &out, &keep, &fail))
        return NULL;
    Segment *self = (Segment *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->function = (int32_t(*)(tc_frame *))(uintptr_t)address;
    self->n_slots = n_slots;
    Py_INCREF(keep);
    self->keep = keep;
    Py_INCREF(fail);
    self->fail = fail;
    if (read_specs(in, &self->in, &self->n_in) < 0 || read_specs(out, &self->out, &self->n_out) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Bring a value into the form that the segment expects; a new reference, NULL with an exception. */
static PyObject *prepare(const array_spec *spec, int i, PyObject *value)
{
    if (fits(value, spec)) {
        Py_INCREF(value);
        return value;
    }
    PyArray_Descr *descr = PyArray_DescrFromType(spec->typenum);
    /* What is changed in place and cannot be written to is copied: the result is the copy then. */
    int wanted = NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_ENSUREARRAY;
    if (spec->written && PyArray_Check(value) && !PyArray_ISWRITEABLE((PyArrayObject *)value))
        wanted |= NPY_ARRAY_ENSURECOPY;
    PyObject *array = PyArray_FromAny(value, descr, 0, 0, wanted, NULL);
    if (!array)
        return NULL;
    if (PyArray_NDIM((PyArrayObject *)array) != spec->ndim) {
        PyErr_Format(PyExc_TypeError, "input %d of a compiled segment has %d dimensions, %d expected", i, PyArray_NDIM((PyArrayObject *)array), spec->ndim);
        Py_DECREF(array);
        return NULL;
    }
    for (int d = 0; d < spec->ndim; d++)
        if ((spec->ones >> d & 1) && PyArray_DIM((PyArrayObject *)array, d) != 1) {
            PyErr_Format(PyExc_ValueError, "input %d of a compiled segment has extent %zd in broadcastable dimension %d", i,
                         (Py_ssize_t)PyArray_DIM((PyArrayObject *)array, d), d);
            Py_DECREF(array);
            return NULL;
        }
    return array;
}

static PyObject *Segment_call(Segment *self, PyObject *args, PyObject *kwargs)
{
    (void)kwargs;
    PyObject *values, *record = NULL, *list = NULL;
    if (!PyArg_ParseTuple(args, "O!", &PyList_Type, &values))
        return NULL;
    if (PyList_GET_SIZE(values) != self->n_in)
        return PyErr_Format(PyExc_TypeError, "a compiled segment takes %d values, %zd given", self->n_in, PyList_GET_SIZE(values));
    work *w = take_work(self);
    if (!w)
        return NULL;
    for (int i = 0; i < self->n_in; i++) {
        w->held[i] = prepare(&self->in[i], i, PyList_GET_ITEM(values, i));
        if (!w->held[i]) {
            give_work(self, w);
            return NULL;
        }
        lend(w, i, w->held[i]);
    }
    list = PyList_New(self->n_out);
    int status = list ? run(self, w, ((PyListObject *)list)->ob_item, &record) : -1;
    give_work(self, w);
    if (status == 0) {
        for (int k = 0; k < self->n_out; k++)
            if (self->out[k].scalar) {
                PyObject *array = PyList_GET_ITEM(list, k);
                PyObject *number = PyArray_ToScalar(PyArray_DATA((PyArrayObject *)array), (PyArrayObject *)array);
                if (!number) {
                    Py_DECREF(list);
                    return NULL;
                }
                PyList_SET_ITEM(list, k, number);
                Py_DECREF(array);
            }
        return list;
    }
    if (list) { /* its items were never set */
        memset(((PyListObject *)list)->ob_item, 0, self->n_out * sizeof(PyObject *));
        Py_DECREF(list);
    }
    if (status == 1) {
        PyObject *never = self->fail ? PyObject_CallOneArg(self->fail, record) : NULL;
        Py_DECREF(record);
        Py_XDECREF(never);
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError, "a compiled segment failed");
    }
    return NULL;
}

static PyObject *Segment_release(Segment *self, PyObject *unused)
{
    (void)unused;
    while (self->free_list) {
        work *w = self->free_list;
        self->free_list = w->next;
        free_work(self, w);
    }
    Py_RETURN_NONE;
}

static PyMethodDef Segment_methods[] = {{"release", (PyCFunction)Segment_release, METH_NOARGS, "Give scratch memory back."}, {NULL, NULL, 0, NULL}};
static PyType_Slot Segment_slots[] = {
    {Py_tp_new, Segment_new}, {Py_tp_dealloc, Segment_dealloc}, {Py_tp_traverse, Segment_traverse}, {Py_tp_clear, Segment_clear},
    {Py_tp_call, Segment_call}, {Py_tp_methods, Segment_methods}, {Py_tp_doc, "One compiled segment, called with a list of values."}, {0, NULL}};
static PyType_Spec Segment_spec = {"theano_compat.codegen.runtime.Segment", sizeof(Segment), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, Segment_slots};

/* ---- FastCall ------------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Segment *segment;
    int n_args, single, n_returns, n_updates;
    array_spec *args;
    int *take;      /* per argument: 1 takes a Python float, 2 takes a Python int */
    int *source;    /* per input of the segment: argument number, or -1 - number of the cell */
    int *returns;   /* per value for the user: result number */
    int *updates;   /* per update: result number */
    PyObject *cells, *update_cells; /* tuples of one-item lists */
    PyObject *acquire, *release;    /* of the lock that functions with updates share, or NULL */
    PyObject *fail;                 /* called with (record, args) */
} FastCall;

static void FastCall_dealloc(FastCall *self)
{
    PyObject_GC_UnTrack(self);
    free(self->args); free(self->take); free(self->source); free(self->returns); free(self->updates);
    Py_CLEAR(self->segment); Py_CLEAR(self->cells); Py_CLEAR(self->update_cells);
    Py_CLEAR(self->acquire); Py_CLEAR(self->release); Py_CLEAR(self->fail);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int FastCall_traverse(FastCall *self, visitproc visit, void *arg)
{
    Py_VISIT(self->segment); Py_VISIT(self->cells); Py_VISIT(self->update_cells);
    Py_VISIT(self->acquire); Py_VISIT(self->release); Py_VISIT(self->fail);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int FastCall_clear(FastCall *self)
{
    Py_CLEAR(self->cells); Py_CLEAR(self->update_cells); Py_CLEAR(self->fail);
    return 0;
}

/* A number that the user passed as such, put where the segment can read it. 0: not taken. */
static int take_number(const array_spec *spec, int take, PyObject *value, union number *to)
{
    if (spec->ndim)
        return 0;
    /* np.float64 is a float too, but one that float32 does not take silently */
    if ((take & 1) && (spec->typenum == NPY_DOUBLE ? PyFloat_Check(value) : PyFloat_CheckExact(value))) {
        double x = PyFloat_AS_DOUBLE(value);
        if (spec->typenum == NPY_DOUBLE)
            to->f64 = x;
        else
            to->f32 = (float)x;
        return 1;
    }
    if ((take & 2) && PyLong_CheckExact(value)) {
        int overflow;
        long long x = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (overflow)
            return 0;
        switch (spec->typenum) {
        case NPY_DOUBLE: to->f64 = (double)x; return x >= -(1LL << 53) && x <= 1LL << 53;
        case NPY_FLOAT: to->f32 = (float)x; return x >= -(1LL << 24) && x <= 1LL << 24;
        case NPY_INT8: to->i8 = (int8_t)x; return to->i8 == x;
        case NPY_INT16: to->i16 = (int16_t)x; return to->i16 == x;
        case NPY_INT32: to->i32 = (int32_t)x; return to->i32 == x;
        case NPY_INT64: to->i64 = x; return 1;
        }
    }
    return 0;
}

static PyObject *FastCall_vectorcall(FastCall *self, PyObject *const *args, size_t flags, PyObject *names)
{
    Segment *segment = self->segment;
    Py_ssize_t n = PyVectorcall_NARGS(flags);
    if (n != self->n_args || (names && PyTuple_GET_SIZE(names)) || !self->cells)
        Py_RETURN_NOTIMPLEMENTED;
    union number numbers[16];
    char by_value[16] = {0};
    if (n > 16)
        Py_RETURN_NOTIMPLEMENTED;
    for (int i = 0; i < n; i++)
        if (!fits(args[i], &self->args[i])) {
            if (!take_number(&self->args[i], self->take[i], args[i], &numbers[i]))
                Py_RETURN_NOTIMPLEMENTED;
            by_value[i] = 1;
        }
    if (self->acquire) {
        PyObject *got = PyObject_CallNoArgs(self->acquire);
        if (!got)
            return NULL;
        Py_DECREF(got);
    }
    PyObject *answer = NULL, *record = NULL;
    PyObject *few[32], **found = segment->n_out <= 32 ? few : malloc(segment->n_out * sizeof *found);
    work *w = found ? take_work(segment) : NULL;
    if (!w) {
        if (!found)
            PyErr_NoMemory();
        goto unlock;
    }
    for (int i = 0; i < segment->n_in; i++) {
        int from = self->source[i];
        PyObject *value;
        if (from >= 0) {
            if (by_value[from]) {
                w->numbers[i] = numbers[from];
                w->in[i].data = (char *)&w->numbers[i];
                w->in[i].shape = w->in[i].strides = NULL;
                continue;
            }
            value = args[from];
        } else
            value = PyList_GET_ITEM(PyTuple_GET_ITEM(self->cells, -1 - from), 0);
        /* arguments too: while the lock was waited for, another thread may have given an array another shape */
        if (!value || !fits(value, &segment->in[i])) {
            give_work(segment, w);
            Py_INCREF(Py_NotImplemented);
            answer = Py_NotImplemented;
            goto unlock;
        }
        Py_INCREF(value);
        w->held[i] = value;
        lend(w, i, value);
    }
    int status = run(segment, w, found, &record);
    give_work(segment, w);
    if (status == 0) {
        for (int k = 0; k < segment->n_out; k++)
            if (segment->out[k].scalar) { /* a NumPy scalar, not an array of no dimensions */
                PyObject *number = PyArray_ToScalar(PyArray_DATA((PyArrayObject *)found[k]), (PyArrayObject *)found[k]);
                if (number) {
                    Py_DECREF(found[k]);
                    found[k] = number;
                } else
                    PyErr_Clear();
            }
        for (int u = 0; u < self->n_updates; u++) {
            PyObject *cell = PyTuple_GET_ITEM(self->update_cells, u), *value = found[self->updates[u]];
            Py_INCREF(value);
            PyList_SetItem(cell, 0, value);
        }
        if (self->single) {
            answer = found[self->returns[0]];
            Py_INCREF(answer);
        } else if ((answer = PyList_New(self->n_returns)))
            for (int k = 0; k < self->n_returns; k++) {
                PyObject *value = found[self->returns[k]];
                Py_INCREF(value);
                PyList_SET_ITEM(answer, k, value);
            }
        for (int k = 0; k < segment->n_out; k++)
            Py_DECREF(found[k]);
    }
unlock:
    if (found && found != few)
        free(found);
    if (self->release) {
        PyObject *kind, *value, *trace, *done;
        PyErr_Fetch(&kind, &value, &trace);
        done = PyObject_CallNoArgs(self->release);
        Py_XDECREF(done);
        if (kind)
            PyErr_Restore(kind, value, trace);
    }
    if (record) {
        PyObject *given = PyTuple_New(n);
        for (int i = 0; given && i < n; i++) {
            Py_INCREF(args[i]);
            PyTuple_SET_ITEM(given, i, args[i]);
        }
        if (given)
            answer = PyObject_CallFunctionObjArgs(self->fail, record, given, NULL);
        Py_XDECREF(given);
        Py_DECREF(record);
    }
    return answer;
}

static int *read_numbers(PyObject *list, int *n)
{
    Py_ssize_t size = PyList_Size(list);
    int *numbers = size < 0 ? NULL : calloc(size + 1, sizeof *numbers);
    if (!numbers)
        return NULL;
    for (Py_ssize_t i = 0; i < size; i++)
        numbers[i] = (int)PyLong_AsLong(PyList_GET_ITEM(list, i));
    if (n)
        *n = (int)size;
    return numbers;
}

static PyTypeObject *segment_type;

static PyObject *FastCall_new(PyTypeObject *type, PyObject *unused, PyObject *kwargs)
{
    static char *names[] = {"segment", "args", "take", "source", "cells", "returns", "single", "updates", "update_cells", "lock", "fail", NULL};
    PyObject *segment, *args, *take, *source, *cells, *returns, *updates, *update_cells, *lock, *fail;
    int single;
    if (!PyArg_ParseTupleAndKeywords(unused, kwargs, "O!OOOO!OpOO!OO", names, segment_type, &segment, &args, &take, &source, &PyTuple_Type, &cells,
                                     &returns, &single, &updates, &PyTuple_Type, &update_cells, &lock, &fail))
        return NULL;
    FastCall *self = (FastCall *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->vectorcall = (vectorcallfunc)FastCall_vectorcall;
    self->single = single;
    Py_INCREF(segment); self->segment = (Segment *)segment;
    Py_INCREF(cells); self->cells = cells;
    Py_INCREF(update_cells); self->update_cells = update_cells;
    Py_INCREF(fail); self->fail = fail;
    if (lock != Py_None && (!(self->acquire = PyObject_GetAttrString(lock, "acquire")) || !(self->release = PyObject_GetAttrString(lock, "release"))))
        goto failed;
    if (read_specs(args, &self->args, &self->n_args) < 0)
        goto failed;
    self->take = read_numbers(take, NULL);
    self->source = read_numbers(source, NULL);
    self->returns = read_numbers(returns, &self->n_returns);
    self->updates = read_numbers(updates, &self->n_updates);
    if (!self->take || !self->source || !self->returns || !self->updates)
        goto failed;
    return (PyObject *)self;
failed:
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    Py_DECREF(self);
    return NULL;
}

static PyMemberDef FastCall_members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(FastCall, vectorcall), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};
static PyType_Slot FastCall_slots[] = {
    {Py_tp_new, FastCall_new}, {Py_tp_dealloc, FastCall_dealloc}, {Py_tp_traverse, FastCall_traverse}, {Py_tp_clear, FastCall_clear},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, FastCall_members},
    {Py_tp_doc, "A plain call of a compiled function; NotImplemented where the general path must take over."}, {0, NULL}};
static PyType_Spec FastCall_spec = {"theano_compat.codegen.runtime.FastCall", sizeof(FastCall), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, FastCall_slots};

static void *load_numpy(void)
{
    import_array();
    return &PyArray_Type;
}

/* The two types, as a tuple.  Called with the interpreter lock held. */
PyObject *tc_runtime(void)
{
    if (!load_numpy() || find_main_thread() < 0)
        return NULL;
    PyObject *segment = PyType_FromSpec(&Segment_spec), *fast = segment ? PyType_FromSpec(&FastCall_spec) : NULL;
    if (!fast)
        return NULL;
    segment_type = (PyTypeObject *)segment;
    return Py_BuildValue("(NN)", segment, fast);
}
