using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TorchSharp;

namespace MedMerge.Tensors;

/// <summary>What this machine's devices are, so that times of different machines are not compared.</summary>
internal static class DeviceModel
{
    private const string CpuInfo = "/proc/cpuinfo";
    private const string ModelKey = "model name";
    private static readonly ConcurrentDictionary<(DeviceType Type, int Index), string> Models = [];

    /// <summary>The processor's or GPU's model; the architecture where the system does not say.</summary>
    public static string Get(torch.Device device) => Models.GetOrAdd(
        (device.type, device.index),
        found => found.Type == DeviceType.CUDA ? GetGpu(found.Index) : FindProcessor() ?? Architecture);

    /// <summary>The same of a device by its name, without loading libtorch.</summary>
    /// <param name="device">As <see cref="DeviceName"/> has it.</param>
    public static string Get(string device) => DeviceName.CudaIndex(device) is { } index ? GetGpu(index) : FindProcessor() ?? Architecture;

    private static string Architecture => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static string GetGpu(int index)
    {
        try
        {
            return CudaDriver.GetName(index);
        }
        catch (PlatformNotSupportedException)
        {
            return "cuda";
        }
    }

    private static string? FindProcessor()
    {
        try
        {
            return OperatingSystem.IsWindows()
                ? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
                : FindModel(File.ReadLines(CpuInfo));
        }
        catch (IOException)
        {
            return null; // not Linux
        }
    }

    /// <summary>The model in the lines of <c>/proc/cpuinfo</c>; ARM's have none.</summary>
    internal static string? FindModel(IEnumerable<string> lines) => lines
        .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
        .FirstOrDefault(parts => parts is [ModelKey, { Length: > 0 }])?[1];
}
