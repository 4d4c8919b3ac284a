using System.Runtime.InteropServices;
using TorchSharp;

namespace MedMerge.Tensors;

/// <summary>Loads libtorch once per process, with a clear message where that fails.</summary>
internal static partial class TorchRuntime
{
    private static readonly Lock Gate = new();
    private static bool _started;

    /// <summary>The library that most of libtorch is in.</summary>
    private const string TorchCpu = "torch_cpu";

    // M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD of malloc.h
    private const int TrimThreshold = -1, TopPad = -2, MapThreshold = -3;

    /// <summary>
    /// libtorch's version, known without loading it: a plan names its stages by it and computes nothing. <see cref="Start"/> compares it
    /// with what was loaded.
    /// </summary>
    public const string Version = "2.10.0.0";

    /// <summary>Makes torch usable in this process. Safe to call often and from any thread.</summary>
    /// <exception cref="PlatformNotSupportedException">libtorch can't be loaded here; the message says why.</exception>
    public static void Start()
    {
        lock (Gate)
        {
            if (_started) return;
            if (OperatingSystem.IsLinux())
            {
                KeepFreedMemory();
                LoadOnLinux();
            }
            try
            {
                torch.InitializeDeviceType(DeviceType.CPU);
                var loaded = LoadedVersion();
                if (loaded != Version) throw new PlatformNotSupportedException($"libtorch {loaded} was loaded in place of {Version}.");
            }
            catch (Exception error) when (error is NotSupportedException or DllNotFoundException or TypeInitializationException
                                          or EntryPointNotFoundException)
            {
                throw new PlatformNotSupportedException($"libtorch could not be loaded: {error.Message}", error);
            }
            _started = true;
        }
    }

    /// <summary>
    /// LibTorchSharp 0.107 is built with GCC 13 and asks for GLIBCXX_3.4.32, which Debian 12, Ubuntu 22.04 and RHEL 9 lack.
    /// The version is only a marker that &lt;iostream&gt; leaves behind (see <see cref="GlibcxxMarker"/>), so a copy that merely
    /// *wants* it loads and works. Can go once TorchSharp is built on an older base image (dotnet/TorchSharp issue 1485).
    /// </summary>
    private static void LoadOnLinux()
    {
        // OpenMP's threads spin at every barrier, by default for long, which makes small networks several times slower beside a busy
        // process; sleeping at once makes them half as fast on an idle machine. A short spin is as fast as a long one on an idle machine,
        // and gives the core away soon on a busy one.
        _ = SetEnvironment("GOMP_SPINCOUNT", "20000", overwrite: 0);

        // cuBLAS adds in the same order every time only with workspaces of its own; it reads this when its first handle is made.
        _ = SetEnvironment("CUBLAS_WORKSPACE_CONFIG", ":4096:8", overwrite: 0);

        var folder = NativeFolder();
        if (folder is null) return; // a layout of TorchSharp's own: leave loading to it
        var library = Path.Combine(folder, "libLibTorchSharp.so");

        // The copy lies elsewhere, so what it finds through $ORIGIN must be in the process already.
        Load(Path.Combine(folder, "libtorch.so"));
        if (NativeLibrary.TryLoad(library, out _)) return;

        var image = File.ReadAllBytes(library);
        if (!GlibcxxMarker.TryWeaken(image))
            Load(library); // not our case: let the loader's own message through
        var scratch = TemporaryFolder.Create();
        try
        {
            var copy = Path.Combine(scratch.FullName, "libLibTorchSharp.so");
            File.WriteAllBytes(copy, image);
            Load(copy); // TorchSharp's own load finds it by its soname
        }
        finally
        {
            scratch.Delete(recursive: true); // mapped already; nothing stays behind
        }
    }

    private static void Load(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (DllNotFoundException error)
        {
            throw new PlatformNotSupportedException(
                $"libtorch could not be loaded: {error.Message.Trim()}\n" +
                "It needs glibc 2.34 and libstdc++ with GLIBCXX_3.4.30 (Debian 12, Ubuntu 22.04, RHEL 9 or later).", error);
        }
    }

    /// <summary>The C library's own environment, which .NET's does not reach; libgomp reads it when it is loaded.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    /// <summary>
    /// Makes CUDA compute in the float32 that it is given, where convolutions would by default round their inputs to TF32's 10 bits, and
    /// makes cuDNN choose deterministic algorithms, the same in every process. TorchSharp 0.107 lacks the last two, so libtorch's own
    /// setters are called.
    /// </summary>
    public static void MakeCudaReproducible()
    {
        torch.backends.cuda.matmul.allow_tf32 = false;
        torch.backends.cudnn.allow_tf32 = false;
        var context = GlobalContext();
        SetDeterministicCuDnn(context, isOn: true);
        SetBenchmarkCuDnn(context, isOn: false); // it would choose by speed, anew in every process
    }

    /// <summary>Whether <see cref="MakeCudaReproducible"/> has taken effect.</summary>
    internal static bool IsCudaReproducible() =>
        IsDeterministicCuDnn(GlobalContext()) && !IsBenchmarkCuDnn(GlobalContext())
        && !torch.backends.cudnn.allow_tf32 && !torch.backends.cuda.matmul.allow_tf32;

    /// <summary>
    /// The version of the native library, from the highest byte down. TorchSharp's <c>torch.__version__</c> is that which it was built
    /// for, whatever was loaded.
    /// </summary>
    private static string LoadedVersion()
    {
        var version = AbiVersion();
        return $"{version >> 56}.{(byte)(version >> 48)}.{(byte)(version >> 40)}.0";
    }

    /// <summary><c>TORCH_ABI_VERSION</c> of PyTorch's <c>torch/headeronly/version.h</c>.</summary>
    [LibraryImport(TorchCpu, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong AbiVersion();

    // at::globalContext() and at::Context's members, under the names that GCC and Clang give them (Itanium C++ ABI).
    [LibraryImport(TorchCpu, EntryPoint = "_ZN2at13globalContextEv")]
    private static partial nint GlobalContext();

    [LibraryImport(TorchCpu, EntryPoint = "_ZN2at7Context21setDeterministicCuDNNEb")]
    private static partial void SetDeterministicCuDnn(nint context, [MarshalAs(UnmanagedType.U1)] bool isOn);

    [LibraryImport(TorchCpu, EntryPoint = "_ZN2at7Context17setBenchmarkCuDNNEb")]
    private static partial void SetBenchmarkCuDnn(nint context, [MarshalAs(UnmanagedType.U1)] bool isOn);

    [LibraryImport(TorchCpu, EntryPoint = "_ZNK2at7Context18deterministicCuDNNEv")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static partial bool IsDeterministicCuDnn(nint context);

    [LibraryImport(TorchCpu, EntryPoint = "_ZNK2at7Context14benchmarkCuDNNEv")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static partial bool IsBenchmarkCuDnn(nint context);

    /// <summary>
    /// Has glibc keep what a training step frees for the next one. By default large tensors are mapped and unmapped, and a thread's heap
    /// shrinks, at every step: the system then clears the same pages again and again (bench/results/lanes.md).
    /// </summary>
    private static void KeepFreedMemory()
    {
        try
        {
            _ = SetHeapOption(TrimThreshold, 1 << 30);
            _ = SetHeapOption(TopPad, 64 << 20); // address space; only what is touched takes memory
            _ = SetHeapOption(MapThreshold, 1 << 30);
        }
        catch (EntryPointNotFoundException)
        {
            // another C library
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetHeapOption(int option, int value);

    /// <summary>
    /// Returns freed native memory to the system: glibc keeps what tensors leave in a thread's heaps, up to some hundred MB a thread.
    /// </summary>
    public static void TrimNativeHeap()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = TrimHeap(0);
        }
        catch (EntryPointNotFoundException)
        {
            // another C library, which has no such heaps
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keep);

    private static string? NativeFolder()
    {
        string[] candidates =
        [
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"),
            AppContext.BaseDirectory,
        ];
        return candidates.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "libLibTorchSharp.so"))
                                                   && File.Exists(Path.Combine(folder, "libtorch.so")));
    }
}
