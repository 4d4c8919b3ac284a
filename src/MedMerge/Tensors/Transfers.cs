using static TorchSharp.torch;

namespace MedMerge.Tensors;

/// <summary>
/// Copies of numbers between the host and a device. On a GPU each waits for the other side, so a training step makes few of them, all
/// here: a test counts them.
/// </summary>
internal static class Transfers
{
    [ThreadStatic]
    private static int _toDevice;

    [ThreadStatic]
    private static int _toHost;

    /// <summary>How many this thread has made.</summary>
    public static (int ToDevice, int ToHost) Count => (_toDevice, _toHost);

    /// <summary>A vector of numbers on a device. On the CPU it shares the array's memory.</summary>
    public static Tensor ToDevice(byte[] values, Device device) => ToDevice(values, ScalarType.Byte, device);

    /// <inheritdoc cref="ToDevice(byte[], Device)" />
    public static Tensor ToDevice(long[] values, Device device) => ToDevice(values, ScalarType.Int64, device);

    /// <inheritdoc cref="ToDevice(byte[], Device)" />
    public static Tensor ToDevice(float[] values, Device device) => ToDevice(values, ScalarType.Float32, device);

    /// <inheritdoc cref="ToDevice(byte[], Device)" />
    public static Tensor ToDevice(double[] values, Device device) => ToDevice(values, ScalarType.Float64, device);

    /// <summary>A tensor that may be on another device already.</summary>
    public static Tensor ToDevice(Tensor tensor, Device device)
    {
        _toDevice++;
        return tensor.to(device);
    }

    /// <summary>A tensor's numbers in row-major order.</summary>
    /// <typeparam name="T">The tensor's element type.</typeparam>
    public static T[] ToHost<T>(Tensor tensor)
        where T : unmanaged
    {
        _toHost++;
        return tensor.cpu().contiguous().data<T>().ToArray();
    }

    private static Tensor ToDevice(Array values, ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        return ToDevice(frombuffer(values, type), device).MoveToOuterDisposeScope();
    }
}
