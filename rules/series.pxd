# Types for the compiled variant; the promises and the code are in series.py.
cimport cython


@cython.final
cdef class Series:
    cdef public object station, variable, checks, counter, guard, maintenance, times, totals, late, suspects, ladders
    cdef public Series twin
    cdef public long long interval_s, horizon_s, last_s, beat_s, until_s, trim_s, total, arrived_us, wake, wake_s, spell
    cdef public double low, high
    cdef public long long kept_s
    cdef public bint unsettled, doubt, touched

    cpdef Py_ssize_t size(self)
    cpdef long long time(self, Py_ssize_t index)
    cpdef Py_ssize_t upto(self, long long at_s)
    cpdef append(self, long long at_s, long long scaled)
