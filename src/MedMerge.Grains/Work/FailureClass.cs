using System.Runtime.InteropServices;
using MedMerge.Storage;

namespace MedMerge.Grains.Work;

/// <summary>Says what to do about an exception.</summary>
internal static class FailureClass
{
    /// <summary>
    /// How libtorch's messages begin where the device or its driver is at fault. That they name CUDA says little: "Expected all tensors to be on the same device, but found cuda:0
    /// and cpu" is the program's mistake, and so is what a kernel asserts.
    /// </summary>
    private static readonly string[] DeviceErrors = ["CUDA error", "cuDNN error", "cuBLAS error", "CUDA driver error", "NVML"];

    private const string Assertion = "device-side assert";

    /// <summary>The class of a failed piece of work.</summary>
    public static Failure Of(Exception error) => error switch
    {
        WorkFailedException failed => failed.Failure,
        InputException => new Failure(FailureKind.Permanent, error.Message),
        OutOfMemoryException => new Failure(FailureKind.Permanent, $"Out of memory: {error.Message}"),
        ExternalException when error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("ALLOC_FAILED", StringComparison.Ordinal) =>
            new Failure(FailureKind.Permanent, $"The device is out of memory. Smaller batches, fewer sources or a memory limit for prepared kernels help. {FirstLine(error)}"),
        ExternalException when error.Message.Contains(Assertion, StringComparison.OrdinalIgnoreCase) => new Failure(FailureKind.Permanent, FirstLine(error)),
        ExternalException when DeviceErrors.Any(begin => error.Message.Contains(begin, StringComparison.OrdinalIgnoreCase)) => new Failure(FailureKind.NodeBad, FirstLine(error)),
        PlatformNotSupportedException or ProcessFencedException => new Failure(FailureKind.NodeBad, FirstLine(error)),
        _ => new Failure(FailureKind.Transient, $"{error.GetType().Name}: {Lines(error)}"),
    };

    /// <summary>Whether a call failed because of the node it went to or the way there, so that the next one may reach another.</summary>
    public static bool IsNodeGone(Exception error) => error is TimeoutException or OrleansException;

    /// <summary>The message in one line; the second line of a storage service's holds its status.</summary>
    private static string Lines(Exception error) => string.Join(' ', error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(4));

    private static string FirstLine(Exception error) => error.Message.Split('\n')[0].Trim();
}
