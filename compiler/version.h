/* version.h: the version that voxc prints and writes into what it emits. */
#ifndef VOXC_VERSION_H
#define VOXC_VERSION_H

#define VOXC_VERSION "0.1.0"

#endif
