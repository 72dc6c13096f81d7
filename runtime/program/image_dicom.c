/* SPDX-License-Identifier: MIT-0 */
/* image_dicom.c: a folder that holds one DICOM series, converted by dcm2niix into a temporary folder; see
 * image_parts.h. */
#include "image_parts.h"
#include "report.h"

#ifdef VOX_WITH_NIFTI
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_names.h"
#include "owner.h"
#include "temporary.h"

/* What the converter says goes into the temporary folder, whence its errors are quoted. */
static void become_converter(const char *folder, const char *out, const char *log) {
    vox_temp_drop_signals();
    vox_temp_release();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) _exit(126);
    execlp("dcm2niix", "dcm2niix", "-b", "n", "-z", "n", "-f", "%s_%d", "-o", out, folder, (char *)NULL);
    _exit(errno == ENOENT ? 127 : 126);
}

/* The converter's exit status, -1: it could not be started or was killed. */
static int convert(const char *folder, const char *out, const char *log) {
    int status = 0;
    pid_t got;
    vox_temp_hold(); /* a signal must not find the child with this process' list of temporary files */
    pid_t child = fork();
    if (child == 0) become_converter(folder, out, log);
    vox_temp_release();
    if (child < 0) return -1;
    VOX_RETRY(got, waitpid(child, &status, 0));
    return got == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* "": nothing. */
static void read_version(const char *log, char version[64], char error[200]) {
    char line[512];
    FILE *f = fopen(log, "r");
    version[0] = error[0] = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *v = strstr(line, "version v");
        line[strcspn(line, "\r\n")] = 0;
        if (v != NULL && version[0] == 0) snprintf(version, 64, "%.*s", (int)strcspn(v + 8, " "), v + 8);
        if ((strstr(line, "Error") != NULL || strstr(line, "Unable") != NULL) && error[0] == 0)
            snprintf(error, 200, "%.199s", line);
    }
    if (f != NULL) fclose(f);
}

typedef struct volumes {
    int n;
    char first[PATH_MAX], names[256];
} volumes;

static void list(const char *folder, volumes *v) {
    DIR *d = opendir(folder);
    const struct dirent *e;
    *v = (volumes){.n = 0};
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (!vox_name_ends(e->d_name, ".nii")) continue;
        size_t n = strlen(v->names);
        snprintf(v->names + n, sizeof v->names - n, "%s%.*s", n > 0 ? ", " : "", (int)strlen(e->d_name) - 4,
                 e->d_name);
        if (snprintf(v->first, sizeof v->first, "%s/%s", folder, e->d_name) < (int)sizeof v->first) v->n++;
    }
    if (d != NULL) closedir(d);
}

static int read_converted(vox_image *image, const char *folder, const char *out) {
    char log[PATH_MAX], version[64], error[200], real[PATH_MAX];
    volumes v;
    if (realpath(folder, real) == NULL || snprintf(log, sizeof log, "%s/log", out) >= (int)sizeof log)
        return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", folder, strerror(errno));
    int status = convert(real, out, log);
    if (status == 127)
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: a folder of DICOM files is read through dcm2niix: install dcm2niix", folder);
    read_version(log, version, error);
    list(out, &v);
    if (v.n == 0)
        return vox_fail(VOX_EXIT_INPUT, "%s: dcm2niix made no volume of this folder (exit status %d)%s%s",
                        folder, status, error[0] != 0 ? ": " : "", error);
    if (v.n > 1)
        return vox_fail(
            VOX_EXIT_INPUT,
            "%s holds %d volumes for dcm2niix (%s): give a folder with one series, or convert it and give "
            "one of the .nii files",
            folder, v.n, v.names);
    if (status != 0)
        return vox_fail(VOX_EXIT_INPUT, "%s: dcm2niix failed on part of this folder (exit status %d)%s%s",
                        folder, status, error[0] != 0 ? ": " : "", error);
    vox_note("%s: series %s converted by dcm2niix %s", folder, v.names, version);
    return vox_image_read_nifti(image, v.first);
}

static void remove_leftover(void *nothing, const char *path) {
    (void)nothing;
    vox_temp_remove_tree(path);
}

int vox_image_read_dicom(vox_image *image, const char *folder) {
    char beside[PATH_MAX];
    int made = 0;
    const char *temporary = getenv("TMPDIR");
    snprintf(beside, sizeof beside, "%s/vox-dicom",
             temporary != NULL && temporary[0] != 0 ? temporary : "/tmp");
    vox_owner_sweep(beside, "tmp", remove_leftover, NULL);
    int entry = vox_temp_create(&vox_temp_folder, beside, 0700, &made);
    if (entry < 0) return vox_fail(VOX_EXIT_FAILURE, "cannot make a folder %s: %s", beside, strerror(errno));
    int code = read_converted(image, folder, vox_temp_path(entry));
    vox_temp_remove(entry);
    return code;
}
#else
int vox_image_read_dicom(vox_image *image, const char *folder) {
    (void)image;
    return vox_image_lacks(folder, "NIfTI, through which DICOM is read",
                           "libnifti2-dev, libpng-dev, zlib1g-dev and dcm2niix");
}
#endif
