using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Tests.Tensors;

public class TorchRuntimeTests
{
    [Fact]
    public void Torch_starts_here_and_differentiates()
    {
        TorchRuntime.Start();
        using var scope = NewDisposeScope();
        var x = tensor(3.0).requires_grad_();
        Assert.Equal(6.0, autograd.grad([x * x], [x])[0].item<double>());
    }

    [Fact]
    public void Weakening_the_marker_changes_one_flag_and_nothing_else()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(path)) Assert.Skip($"'{path}' is not here: the native library has another layout on this system.");
        var original = File.ReadAllBytes(path);
        var patched = original.ToArray();

        Assert.True(GlibcxxMarker.TryWeaken(patched));

        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != patched[i]).ToList();
        Assert.Equal([2], changed.Select(i => (int)patched[i]));
    }

    [Fact]
    public void Other_files_are_left_alone()
    {
        Assert.False(GlibcxxMarker.TryWeaken("not an ELF file"u8.ToArray()));
        Assert.False(GlibcxxMarker.TryWeaken(new byte[200]));
    }

    [Fact]
    public async Task The_device_thread_is_one_thread_and_survives_errors_and_cancellation()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var device = new DeviceThread(TestDevice.Name, 1);
        var first = await device.RunAsync(() => Environment.CurrentManagedThreadId, cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => device.RunAsync<int>(() => throw new InvalidOperationException(), cancellation));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.RunAsync(() => 1, new CancellationToken(canceled: true)));
        Assert.Equal(first, await device.RunAsync(() => Environment.CurrentManagedThreadId, cancellation));
        Assert.NotEqual(first, Environment.CurrentManagedThreadId);
    }

    [Theory]
    [InlineData("gpu", "not known")]
    [InlineData("cuda:x", "not known")]
    public void Unknown_devices_are_named(string name, string reason) =>
        Assert.Contains(reason, Assert.Throws<InputException>(() => new DeviceThread(name, 1)).Message, StringComparison.Ordinal);

    /// <summary>The settings are libtorch's own, with or without CUDA.</summary>
    [Fact]
    public void Cuda_is_set_to_compute_in_float32_by_deterministic_algorithms()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("libtorch's functions have other names on this system.");
        TorchRuntime.Start();
        TorchRuntime.MakeCudaReproducible();
        Assert.True(TorchRuntime.IsCudaReproducible());
    }

    [Fact]
    public void Cuda_without_cuda_says_how_to_get_it()
    {
        if (cuda.is_available()) Assert.Skip("This machine has CUDA.");
        var error = Assert.Throws<InputException>(() => new DeviceThread("cuda:0", 1));
        Assert.Contains("-p:TorchBackend=cuda", error.Message, StringComparison.Ordinal);
    }
}
