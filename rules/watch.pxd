# Types for the compiled variant; the promises and the code are in watch.py.
cimport cython

from rules.series cimport Series


@cython.final
cdef class Watch:
    cdef object _ladders
    cdef dict _numbers, _boxes
    cdef list _single, _after_us, _order, _open
    cdef bytearray _inside
    cdef long long _opened

    @cython.locals(box=cython.longlong, found=list)
    cdef _put(self, Py_ssize_t n, long long at_us)
    cdef _open_first(self)
    cdef bint _renewed(self) except -1
    @cython.locals(single=Series, arrived_us=cython.longlong)
    cdef long long _deadline_us(self, Py_ssize_t n) except *
