"""The frameworks that a bundle is compared with. A row of FRAMEWORKS makes, from a model, a function that computes it
once, and says which version it is; what is imported or compiled there is not timed."""
import os


def onnx_runtime(path, x, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, feed)[0], onnxruntime.__version__


def openvino(path, x, threads):
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))

    def run():
        request.infer()
        return request.get_output_tensor(0).data

    return run, openvino.__version__.split("-")[0]


def torch_module(path, x, threads):
    import torch
    import torch_net

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch, torch_net.Network(path).eval(), torch.from_numpy(x)


def pytorch(path, x, threads):
    torch, network, tensor = torch_module(path, x, threads)
    return lambda: network(tensor).numpy(), torch.__version__


def pytorch_channels_last(path, x, threads):
    torch, network, tensor = torch_module(path, x, threads)
    for name, buffer in list(network.named_buffers()):
        if buffer.dim() == 5:
            setattr(network, name, buffer.to(memory_format=torch.channels_last_3d))
    tensor = tensor.to(memory_format=torch.channels_last_3d)
    return lambda: network(tensor).contiguous().numpy(), torch.__version__


def pytorch_compiled(path, x, threads):
    torch, network, tensor = torch_module(path, x, threads)
    import torch._inductor.config as inductor

    inductor.freezing = True # constants may be folded and laid out anew
    compiled = torch.compile(network)
    compiled(tensor)
    torch.set_num_threads(threads) # compiling may leave one
    return lambda: compiled(tensor).numpy(), torch.__version__


def tvm(path, x, threads):
    os.environ["TVM_NUM_THREADS"] = str(threads)
    import numpy
    import onnx
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    module = from_onnx(onnx.load(path), keep_params_in_input=False)
    target = tvm.target.Target({"kind": "llvm", "mcpu": tvm.target.codegen.llvm_get_system_cpu()})
    executable = tvm.compile(module, target=target)
    machine = relax.VirtualMachine(executable, tvm.cpu())
    tensor = tvm.runtime.tensor(x)

    def run():
        y = machine["main"](tensor)
        return numpy.asarray((y[0] if not hasattr(y, "numpy") else y).numpy())

    return run, tvm.__version__ + ", untuned"


# name: what sets it up
FRAMEWORKS = {
    "onnxruntime": onnx_runtime,
    "openvino": openvino,
    "torch": pytorch,
    "torch-channels-last": pytorch_channels_last,
    "torch-compile": pytorch_compiled,
    "tvm": tvm,
}
