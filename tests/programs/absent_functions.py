# Whatever MPI function Python asks for by its name, before and after MPI is loaded, is there if it is there without the recorder. Prints
# the names of those that are there, which must be the same. In this way packages find out whether, and which, MPI is loaded.
# expect: nothing
import ctypes
import pathlib
import re

table = pathlib.Path(__file__).resolve().parents[2] / "traces" / "mpi-functions"
functions = re.findall(r"^[a-z-]+ (MPI_\w+)\(", table.read_text(), re.MULTILINE)
names = [prefix + name for name in functions for prefix in ("", "P")]
everything = ctypes.CDLL(None)


def there(library):
    return [name for name in names if hasattr(library, name)]


before = there(everything)

from mpi4py import MPI  # noqa: E402

after = there(everything)
paths = {line.split()[-1] for line in open("/proc/self/maps") if re.search(r"/lib(mpi|mpich|mpi_abi)\.so", line)}
own = [there(ctypes.CDLL(path)) for path in sorted(paths)]
assert len(functions) > 600 and own and len(own[0]) > 600
if MPI.COMM_WORLD.Get_rank() == 0:
    print(before, after, own, sep="\n")
