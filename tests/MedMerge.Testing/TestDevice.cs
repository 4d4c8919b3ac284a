using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Testing;

/// <summary>The device that tests compute on: a processor, or what <c>MEDMERGE_TEST_DEVICE</c> names, such as <c>cuda:0</c>.</summary>
internal static class TestDevice
{
    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public static string Name { get; } = Environment.GetEnvironmentVariable("MEDMERGE_TEST_DEVICE") ?? DeviceName.Cpu;

    /// <summary>The same as libtorch has it.</summary>
    public static torch.Device Torch => DeviceThread.Find(Name);

    public static bool IsCpu => Name == DeviceName.Cpu;
}
