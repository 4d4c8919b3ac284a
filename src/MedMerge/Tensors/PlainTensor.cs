using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>A float32 tensor in managed memory, for what does without libtorch.</summary>
/// <param name="Values">Row-major.</param>
internal sealed record PlainTensor(IReadOnlyList<long> Shape, float[] Values)
{
    /// <summary>A copy of a float32 tensor.</summary>
    public static PlainTensor Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return new PlainTensor(tensor.shape, tensor.cpu().contiguous().data<float>().ToArray());
    }
}
