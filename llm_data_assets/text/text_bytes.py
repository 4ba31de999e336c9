"""A text's bytes where CPython keeps them: no copy of what is only looked at."""

import ctypes

_READ_ONLY = 0x100  # PyBUF_READ of CPython's object.h
_utf8_of = ctypes.pythonapi.PyUnicode_AsUTF8AndSize
_utf8_of.argtypes = (ctypes.py_object, ctypes.POINTER(ctypes.c_ssize_t))
_utf8_of.restype = ctypes.c_void_p
_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_view.restype = ctypes.py_object


def bytes_of(text: str) -> memoryview:
    """The UTF-8 of a text, to be read as long as the text is there.

    Of a text of ASCII these are its own bytes. Of another CPython makes them once and keeps them
    beside it, and each later `encode` copies them.

    Raises:
        UnicodeEncodeError: the text has lone surrogates, which UTF-8 cannot hold.
    """
    size = ctypes.c_ssize_t()
    return _view(_utf8_of(text, ctypes.byref(size)), size, _READ_ONLY)
