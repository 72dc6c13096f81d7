/* test_npy.c: .npy files and ONNX TensorProto files: what is read, what is refused, what is written. */
#include "test.h"

#include "npy_tensor.h"
#include "onnx_data.h"

/* A .npy file with this header text and n bytes of data 0, 1, 2 ... at dir/x.npy; malloc'd path. */
static char *make_file(const char *dir, int major, const char *header, size_t n) {
    unsigned char file[1024] = "\x93NUMPY";
    size_t len = strlen(header), at = 6;
    file[at++] = (unsigned char)major;
    file[at++] = 0;
    file[at++] = (unsigned char)(len & 255);
    file[at++] = (unsigned char)(len >> 8);
    if (major > 1) at += 2;
    memcpy(file + at, header, len);
    at += len;
    for (size_t i = 0; i < n; i++) file[at++] = (unsigned char)i;
    char *path = test_format("%s/x.npy", dir);
    test_write(path, file, at);
    return path;
}

static void reads_and_writes_every_type(void **state) {
    (void)state;
    static const ir_dtype types[] = {IR_F32, IR_F64, IR_I64, IR_I32, IR_U8, IR_BOOL};
    char *dir = test_tmpdir(), *path = test_format("%s/x.npy", dir);
    for (size_t k = 0; k < 6; k++) {
        for (int rank = 0; rank <= 5; rank++) {
            ir_diag d = {0};
            file_tensor a, b;
            assert_true(file_tensor_init(&a, types[k], rank, (int64_t[]){2, 1, 3, 1, 2}, "a", &d));
            int64_t bytes = 0;
            assert_true(ir_shape_bytes(a.dtype, rank, a.dim, &bytes));
            for (int64_t i = 0; i < bytes; i++) ((unsigned char *)a.data)[i] = (unsigned char)(i & 1);
            assert_true(npy_write(path, &a, &d));
            size_t n;
            char *file = test_read(path, &n);
            assert_int_equal((n - (size_t)bytes) % 64, 0);
            assert_true(npy_read(path, &b, &d));
            assert_int_equal(b.dtype, a.dtype);
            assert_int_equal(b.rank, rank);
            assert_memory_equal(b.dim, a.dim, sizeof a.dim);
            assert_memory_equal(b.data, a.data, (size_t)bytes);
            free(file);
            file_tensor_free(&a);
            file_tensor_free(&b);
        }
    }
    free(path);
    test_rmdir(dir);
}

static void fortran_order_is_reordered(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    char *path = make_file(dir, 2, "{'shape': (2, 3), \"fortran_order\": True, 'descr': '|u1'}\n", 6);
    ir_diag d = {0};
    file_tensor t;
    assert_true(npy_read(path, &t, &d));
    static const unsigned char want[] = {0, 2, 4, 1, 3, 5};
    assert_memory_equal(t.data, want, 6);
    file_tensor_free(&t);
    free(path);
    test_rmdir(dir);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t n;
        int code;
        const char *text;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11, 2,
         "promises 12 bytes of data, the file holds 11"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 13, 2, "promises 12 bytes"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }", 12, 3, "type >f4"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (3,), }", 12, 3, "type |f4"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }", 6, 3, "type <f2"},
        {"{'descr': '|O8', 'fortran_order': False, 'shape': (3,), }", 6, 3, "type |O8"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", 6, 2, "unreadable descr"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (3,), }", 12, 2, "fortran_order is neither"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 3, }", 12, 2, "shape is not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", 12, 2, "unreadable shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 12, 2,
         "not a .npy file"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 12, 2,
         "not a .npy file"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, 2, "more than 8 axes"},
        {"{'descr': '<f4', 'fortran_order': False}", 4, 2, "is missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, 2, "appears twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, 2, "unknown header key"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", 4, 2, "not a .npy file"},
        {"'descr'", 4, 2, "no dictionary"},
    };
    char *dir = test_tmpdir();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *path = make_file(dir, 1, rows[i].header, rows[i].n);
        ir_diag d = {0};
        file_tensor t;
        if (npy_read(path, &t, &d)) fail_msg("accepted: %s", rows[i].header);
        if (!strstr(d.text, rows[i].text)) fail_msg("%s\ngot: %s", rows[i].header, d.text);
        assert_int_equal(d.code, rows[i].code);
        free(path);
    }
    test_rmdir(dir);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    char *path = make_file(dir, 2, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 12);
    size_t n;
    char *file = test_read(path, &n);
    for (size_t cut = 0; cut < n; cut++) {
        ir_diag d = {0};
        file_tensor t;
        test_write(path, file, cut);
        assert_false(npy_read(path, &t, &d));
        assert_int_equal(d.code, IR_EXIT_INPUT);
        assert_false(onnx_data_read(path, &t, &d)); /* nor is it a TensorProto */
    }
    free(file);
    free(path);
    test_rmdir(dir);
}

static void tensor_protos_are_read(void **state) {
    (void)state;
    /* dims 2, data_type float, raw_data 1.0f 2.0f */
    static const char good[] = "\x08\x02\x10\x01\x4a\x08\0\0\x80\x3f\0\0\0\x40";
    char *dir = test_tmpdir(), *path = test_format("%s/input_0.pb", dir);
    ir_diag d = {0};
    file_tensor t;
    ir_value v;
    test_write(path, good, sizeof good - 1);
    assert_true(onnx_data_read(path, &t, &d));
    assert_true(file_tensor_to_value(&t, &v, &d));
    assert_true(t.rank == 1 && t.dim[0] == 2 && v.f[0] == 1 && v.f[1] == 2);
    ir_values_free(&v, 1);
    file_tensor_free(&t);
    test_write(path, good, sizeof good - 2);
    assert_false(onnx_data_read(path, &t, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    free(path);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_every_type), cmocka_unit_test(fortran_order_is_reordered),
        cmocka_unit_test(bad_files_are_refused),       cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(tensor_protos_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
