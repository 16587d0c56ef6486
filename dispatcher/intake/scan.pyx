# cython: language_level=3, boundscheck=False, wraparound=False
"""JSON lines of our own fields, in any order, to columns: one pass over the bytes, nothing kept of them.

The promise is that of scan.py. Whatever is not plain (an escape, a letter beyond ASCII, a null, a field that is unknown
or there twice, a number with an exponent or of more than 15 digits) ends it with None, and the general way decides.
"""

from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_FromStringAndSize
from libc.string cimport memcmp, memcpy

from dispatcher.intake.catalogue import KIND_WORDS
from dispatcher.intake.examine import epoch_s
from rules.reading import Columns

cdef enum:
    STATION = 0
    VARIABLE = 1
    UNIT = 2
    TIME = 3
    VALUE = 4
    ID = 5
    QUALITY = 6
    KIND = 7
    INTERVAL = 8
    FIELDS = 9
    REQUIRED = 31  # the first five, a bit each
    NO_FIELD = -1
    LONGEST_KEY = 512
    LONGEST_ID = 128
    MOST_DIGITS = 15

# A mantissa below 2^53 divided by one of these is the float nearest to the decimal number: both are exact.
cdef double[16] TENS = [1., 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

cdef struct Text:
    const char* start
    Py_ssize_t length

cdef struct Item:
    Text[9] texts
    double value
    double interval
    int seen


cdef inline const char* _blank(const char* p, const char* end) noexcept nogil:
    while p < end and (p[0] == c' ' or p[0] == c'\t' or p[0] == c'\r'):
        p += 1
    return p


cdef inline const char* _text(const char* p, const char* end, Text* into) noexcept nogil:
    """The plain text that begins at ``p``; gives what follows its closing mark, NULL when it is not plain."""
    if p >= end or p[0] != c'"':
        return NULL
    p += 1
    into.start = p
    while p < end and p[0] != c'"':
        if <unsigned char> p[0] < 32 or <unsigned char> p[0] > 126 or p[0] == c'\\':
            return NULL
        p += 1
    into.length = p - into.start
    return p + 1 if p < end else NULL


cdef inline const char* _number(const char* p, const char* end, double* into) noexcept nogil:
    """The same for a number as JSON writes it, without an exponent."""
    cdef bint minus = p < end and p[0] == c'-'
    cdef long long mantissa = 0
    cdef int digits = 0, decimals = 0
    p += minus
    cdef const char* first = p
    while p < end and c'0' <= p[0] <= c'9' and digits <= MOST_DIGITS:
        mantissa = mantissa * 10 + (p[0] - c'0')
        digits += 1
        p += 1
    if digits == 0 or (digits > 1 and first[0] == c'0'):
        return NULL
    if p < end and p[0] == c'.':
        p += 1
        while p < end and c'0' <= p[0] <= c'9' and digits <= MOST_DIGITS:
            mantissa = mantissa * 10 + (p[0] - c'0')
            digits += 1
            decimals += 1
            p += 1
        if decimals == 0:
            return NULL
    if digits > MOST_DIGITS:
        return NULL
    into[0] = -(mantissa / TENS[decimals]) if minus else mantissa / TENS[decimals]
    return p


cdef inline int _field(Text key) noexcept nogil:
    if key.length == 7 and memcmp(key.start, b"station", 7) == 0:
        return STATION
    if key.length == 8 and memcmp(key.start, b"variable", 8) == 0:
        return VARIABLE
    if key.length == 5 and memcmp(key.start, b"value", 5) == 0:
        return VALUE
    if key.length == 4 and memcmp(key.start, b"unit", 4) == 0:
        return UNIT
    if key.length == 4 and memcmp(key.start, b"time", 4) == 0:
        return TIME
    if key.length == 2 and memcmp(key.start, b"id", 2) == 0:
        return ID
    if key.length == 7 and memcmp(key.start, b"quality", 7) == 0:
        return QUALITY
    if key.length == 4 and memcmp(key.start, b"kind", 4) == 0:
        return KIND
    if key.length == 8 and memcmp(key.start, b"interval", 8) == 0:
        return INTERVAL
    return NO_FIELD


cdef const char* _item(const char* p, const char* end, Item* into) noexcept nogil:
    """One object and what is behind it on its line; gives the beginning of the next line, NULL when anything is not plain."""
    cdef Text key
    cdef int field
    cdef char mark
    if p >= end or p[0] != c'{':
        return NULL
    into.seen = 0
    p += 1
    while True:
        p = _text(_blank(p, end), end, &key)
        if p == NULL:
            return NULL
        field = _field(key)
        p = _blank(p, end)
        if field == NO_FIELD or into.seen & (1 << field) or p >= end or p[0] != c':':
            return NULL
        into.seen |= 1 << field
        p = _blank(p + 1, end)
        if field == VALUE:
            p = _number(p, end, &into.value)
        elif field == INTERVAL:
            p = _number(p, end, &into.interval)
        else:
            p = _text(p, end, &into.texts[field])
        if p == NULL:
            return NULL
        p = _blank(p, end)
        if p >= end:
            return NULL
        mark = p[0]
        p += 1
        if mark == c'}':
            break
        if mark != c',':
            return NULL
    if into.seen & REQUIRED != REQUIRED or (into.seen & (1 << ID) and into.texts[ID].length > LONGEST_ID):
        return NULL
    if into.seen & (1 << INTERVAL) and into.interval <= 0:
        return NULL
    p = _blank(p, end)
    if p < end and p[0] != c'\n':
        return NULL
    while p < end and (p[0] == c'\n' or p[0] == c'\r'):
        p += 1
    return p


cdef inline bint _is(Text text, const char* word, Py_ssize_t length) noexcept nogil:
    return text.length == length and memcmp(text.start, word, length) == 0


cdef object _words(Text text):
    return PyUnicode_DecodeASCII(text.start, text.length, NULL)


cdef object _key(Item* item):
    """Station, variable and unit as one text, as in ``Catalogue.quick``."""
    cdef char[LONGEST_KEY] joined
    cdef Py_ssize_t length = 0
    cdef int field
    for field in range(3):
        if length + item.texts[field].length + 1 > LONGEST_KEY:
            return None
        memcpy(joined + length, item.texts[field].start, item.texts[field].length)
        length += item.texts[field].length
        joined[length] = 0
        length += 1
    return PyUnicode_DecodeASCII(joined, length, NULL)


cdef class _Gathered:
    """What has been read so far, column by column."""
    cdef list numbers, values, times_s
    cdef dict marks, quick
    cdef long long earliest_s, latest_s
    cdef Text time
    cdef object at

    def __cinit__(self, dict quick, long long earliest_s, long long latest_s):
        self.numbers, self.values, self.times_s, self.marks, self.quick = [], [], [], {}, quick
        self.earliest_s, self.latest_s = earliest_s, latest_s
        self.time.start, self.time.length = NULL, -1

    cdef bint take(self, Item* item) except -1:
        """False when the item is not known, or cannot be."""
        cdef tuple place = self.quick.get(_key(item))
        cdef double value
        if place is None:
            return False
        value = item.value * <double> place[1] / <double> place[2] + <double> place[3]
        # Stations report at the same minutes: the time of the item before is mostly the time of this one.
        if item.texts[TIME].length != self.time.length or memcmp(item.texts[TIME].start, self.time.start, self.time.length) != 0:
            self.time = item.texts[TIME]
            self.at = epoch_s(PyUnicode_FromStringAndSize(self.time.start, self.time.length))
            if not self.earliest_s <= <long long> self.at <= self.latest_s:
                return False
        if not <double> place[4] <= value <= <double> place[5]:
            return False
        if item.seen & (1 << KIND) and KIND_WORDS.get(_words(item.texts[KIND])) != place[6]:
            return False
        if item.seen & (1 << QUALITY) and not _is(item.texts[QUALITY], b"good", 4):
            if not _is(item.texts[QUALITY], b"suspect", 7) and not _is(item.texts[QUALITY], b"bad", 3):
                return False
            self.marks[len(self.numbers)] = _words(item.texts[QUALITY])
        self.numbers.append(place[0])
        self.values.append(value)
        self.times_s.append(self.at)
        return True

    cdef object columns(self, known):
        return Columns(known, self.numbers, self.values, self.times_s, self.marks) if self.numbers else None


def scan(bytes body not None, dict quick not None, known, Py_ssize_t most, long long earliest_s, long long latest_s):
    """As scan.py promises."""
    cdef const char* p = body
    cdef const char* end = p + len(body)
    cdef Item item
    cdef _Gathered into = _Gathered(quick, earliest_s, latest_s)
    while p < end:
        p = _item(p, end, &item)
        if p == NULL or len(into.numbers) >= most or not into.take(&item):
            return None
    return into.columns(known)


def scan_each(list bodies not None, dict quick not None, known, Py_ssize_t longest, long long earliest_s, long long latest_s):
    """As scan.py promises. The list keeps the bodies where they are meanwhile, and with them the time of the item before."""
    cdef const char* p
    cdef const char* end
    cdef Item item
    cdef bytes body
    cdef _Gathered into = _Gathered(quick, earliest_s, latest_s)
    for body in bodies:
        p = body
        end = p + len(body)
        if len(body) > longest or _item(p, end, &item) != end or not into.take(&item):
            return None
    return into.columns(known)
