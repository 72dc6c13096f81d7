"""Times an ONNX network on the GPU with a framework that is installed here.

  gpu_peers.py "PyTorch"|"ONNX Runtime"|"TensorRT" FILE.onnx PRECISION...

Prints a line of JSON for each precision, {name, precision, ms, peak_mib}, or {name, precision, missing: why}. Times are
the best of some runs from a tensor that is on the GPU to one that is. All of them get the same: random numbers, batch
norms folded into convolutions (PyTorch's by torch_net, the others do it themselves), and a run captured in a CUDA graph."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
RUNS = 10


def best_ms(run, wait):
    for _ in range(3):
        run()
    times = []
    for _ in range(RUNS):
        wait()
        start = time.perf_counter()
        run()
        wait()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def input_of(path):
    import numpy
    import onnx

    shape = [d.dim_value for d in onnx.load(path, load_external_data=False).graph.input[0].type.tensor_type.shape.dim]
    return numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)


def pytorch(path, precision):
    import torch
    import torch_net

    torch.set_grad_enabled(False)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    kind = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)
    network = torch_net.Network(path).eval().cuda()
    for name, buffer in list(network.named_buffers()):
        if buffer.is_floating_point():
            buffer = buffer.to(kind)
        setattr(network, name, buffer.to(memory_format=torch.channels_last_3d) if buffer.dim() == 5 else buffer)
    x = torch.from_numpy(input_of(path)).cuda().to(kind).to(memory_format=torch.channels_last_3d)
    torch.cuda.reset_peak_memory_stats()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side): # chooses algorithms, which a capture must not
        for _ in range(3):
            network(x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(x)
    ms = best_ms(graph.replay, torch.cuda.synchronize)
    return ms, torch.cuda.max_memory_reserved() / 2**20


def onnx_runtime(path, precision):
    import onnxruntime

    if precision not in ("fp32", "tf32"):
        raise NotImplementedError("the file is fp32")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise NotImplementedError("this build of onnxruntime has no CUDA provider")
    settings = {"use_tf32": int(precision == "tf32"), "cudnn_conv_algo_search": "EXHAUSTIVE", "enable_cuda_graph": 1}
    session = onnxruntime.InferenceSession(path, providers=[("CUDAExecutionProvider", settings)])
    if "CUDAExecutionProvider" not in session.get_providers():
        raise NotImplementedError("the CUDA provider does not load")
    binding = session.io_binding()
    x = onnxruntime.OrtValue.ortvalue_from_numpy(input_of(path), "cuda", 0)
    binding.bind_ortvalue_input(session.get_inputs()[0].name, x)
    binding.bind_output(session.get_outputs()[0].name, "cuda")
    return best_ms(lambda: session.run_with_iobinding(binding), lambda: binding.synchronize_outputs()), None


def tensorrt(path, precision):
    import tensorrt
    import torch

    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse_from_file(path):
        raise NotImplementedError(str(parser.get_error(0)))
    config = builder.create_builder_config()
    flags = {"fp16": tensorrt.BuilderFlag.FP16, "bf16": tensorrt.BuilderFlag.BF16}
    config.clear_flag(tensorrt.BuilderFlag.TF32)
    if precision == "tf32":
        config.set_flag(tensorrt.BuilderFlag.TF32)
    elif precision in flags:
        config.set_flag(flags[precision])
    engine = tensorrt.Runtime(logger).deserialize_cuda_engine(builder.build_serialized_network(network, config))
    context = engine.create_execution_context()
    tensors = [torch.randn(tuple(engine.get_tensor_shape(engine.get_tensor_name(i))), device="cuda")
               for i in range(engine.num_io_tensors)]
    for i, tensor in enumerate(tensors):
        context.set_tensor_address(engine.get_tensor_name(i), tensor.data_ptr())
    stream = torch.cuda.Stream()
    context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        context.execute_async_v3(torch.cuda.current_stream().cuda_stream)
    return best_ms(graph.replay, torch.cuda.synchronize), None


PEERS = {"PyTorch": pytorch, "ONNX Runtime": onnx_runtime, "TensorRT": tensorrt}


def measure(name, path, precision):
    entry = {"name": name, "precision": precision}
    try:
        entry["ms"], entry["peak_mib"] = PEERS[name](path, precision)
    except Exception as why: # whatever keeps a peer from running is what the report says about it
        entry["missing"] = f"{type(why).__name__}: {why}".splitlines()[0][:200]
    return entry


if __name__ == "__main__":
    for precision in sys.argv[3:]:
        print(json.dumps(measure(sys.argv[1], sys.argv[2], precision)), flush=True)
