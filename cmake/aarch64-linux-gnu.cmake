# Toolchain: from Debian on any machine to AArch64 Linux, run by qemu. Packages: packages.txt, [aarch64].
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++-12)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)  # QEMU_CPU says which machine
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig)  # FindOpenSSL asks pkg-config
