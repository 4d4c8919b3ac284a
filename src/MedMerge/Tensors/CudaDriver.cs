using System.Runtime.InteropServices;
using System.Text;

namespace MedMerge.Tensors;

/// <summary>
/// What TorchSharp 0.107 doesn't say of a GPU, asked of NVIDIA's driver (CUDA Driver API, "Initialization" and "Device Management").
/// </summary>
internal static partial class CudaDriver
{
    private const string Library = "libcuda.so.1";
    private const int MaxName = 256;

    /// <summary>A GPU's model, such as <c>NVIDIA H100 80GB HBM3</c>.</summary>
    /// <param name="index">As libtorch counts: both follow CUDA_VISIBLE_DEVICES.</param>
    /// <exception cref="PlatformNotSupportedException">The driver does not answer.</exception>
    public static string GetName(int index) => Ask("model", index, device =>
    {
        var name = new byte[MaxName];
        Check(GetName(name, MaxName, device));
        return Encoding.ASCII.GetString(name.AsSpan(0, name.IndexOf((byte)0))).Trim();
    });

    /// <summary>A GPU's memory in bytes.</summary>
    /// <param name="index">As <see cref="GetName(int)"/> takes it.</param>
    /// <exception cref="PlatformNotSupportedException">The driver does not answer.</exception>
    public static long GetMemory(int index) => Ask("memory", index, device =>
    {
        Check(GetMemory(out var bytes, device));
        return (long)bytes;
    });

    private static T Ask<T>(string what, int index, Func<int, T> ask)
    {
        try
        {
            Check(Initialise(0));
            Check(GetDevice(out var device, index));
            return ask(device);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new PlatformNotSupportedException($"NVIDIA's driver could not be asked for the GPU's {what}: {error.Message}", error);
        }
    }

    private static void Check(int result)
    {
        if (result != 0) throw new PlatformNotSupportedException($"NVIDIA's driver answers with error {result} (CUresult).");
    }

    [LibraryImport(Library, EntryPoint = "cuInit")]
    private static partial int Initialise(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    private static partial int GetDevice(out int device, int index);

    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    private static partial int GetMemory(out nuint bytes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    private static partial int GetName([Out] byte[] name, int length, int device);
}
