# Types for the compiled variant; the promises and the code are in intake.py.
cimport cython

from rules.series cimport Series


@cython.locals(series=Series, at_s=cython.longlong, value=cython.double)
cpdef take(index, readings, long long limit_s, now_us, woke, odd)


@cython.locals(
    series=Series, at_s=cython.longlong, value=cython.double, scale=cython.double, whole=cython.double, total=cython.longlong, n=cython.Py_ssize_t, number=cython.Py_ssize_t,
    values=list, times_s=list,
)
cpdef take_columns(list by_number, columns, long long limit_s, long long now_us, woke, odd)


@cython.locals(total=cython.longlong)
cdef _newest(Series series, long long at_s, long long scaled, long long now_us, woke)
