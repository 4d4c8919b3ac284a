using System.Runtime.InteropServices;
using MedMerge.Storage;

namespace MedMerge.Grains.Work;

/// <summary>Decides what to do about an exception.</summary>
internal static class FailureClass
{
    /// <summary>
    /// How libtorch's messages begin where the device or its driver is at fault. That a message names CUDA says little:
    /// "Expected all tensors to be on the same device, but found cuda:0 and cpu" is a bug of ours, and so is a failed
    /// assertion in a kernel.
    /// </summary>
    private static readonly string[] DeviceErrors = ["CUDA error", "cuDNN error", "cuBLAS error", "CUDA driver error", "NVML"];

    private const string Assertion = "device-side assert";

    /// <summary>What else is at work on the device decides whether it recurs; work that never fits fails with its last attempt.</summary>
    private const string OutOfDeviceMemory =
        "The device is out of memory. Smaller batches, fewer sources or a memory limit for prepared kernels help.";

    /// <summary>Classifies an exception.</summary>
    public static Failure Of(Exception error) => error switch
    {
        WorkFailedException failed => failed.Failure,
        InputException => new Failure(FailureKind.Permanent, error.Message),
        MissingArtefactException => new Failure(FailureKind.Permanent, error.Message),
        DiskException => new Failure(FailureKind.Transient, error.Message),
        UnreadableArtefactException => new Failure(FailureKind.Permanent, Named(error)),
        OutOfMemoryException => new Failure(FailureKind.Permanent, $"Out of memory: {Named(error)}"),
        ExternalException native when SaysOutOfMemory(native) => new Failure(FailureKind.Transient, $"{OutOfDeviceMemory} {Named(error)}"),
        ExternalException when Mentions(error, Assertion) => new Failure(FailureKind.Permanent, Named(error)),
        ExternalException when DeviceErrors.Any(start => Mentions(error, start)) => new Failure(FailureKind.NodeBad, Named(error)),
        PlatformNotSupportedException or ProcessFencedException => new Failure(FailureKind.NodeBad, Named(error)),
        _ => new Failure(FailureKind.Transient, $"{error.GetType().Name}: {Lines(error)}"),
    };

    /// <summary>
    /// The failure of work that was not alone on its node: a lack of the node's memory may pass, as that of a device's always may.
    /// </summary>
    public static Failure BesideOtherWork(Failure failure, Exception error) => error is OutOfMemoryException
        ? failure with { Kind = FailureKind.Transient, Reason = $"{failure.Reason} There was other work on the node." }
        : failure;

    /// <summary>
    /// Whether a call failed because of its node or the network, so that the next one may succeed on another node.
    /// </summary>
    public static bool IsNodeGone(Exception error) => error is TimeoutException or OrleansException;

    private static bool SaysOutOfMemory(ExternalException error) =>
        Mentions(error, "out of memory") || error.Message.Contains("ALLOC_FAILED", StringComparison.Ordinal);

    private static bool Mentions(Exception error, string text) => error.Message.Contains(text, StringComparison.OrdinalIgnoreCase);

    /// <summary>The first lines of the message in one; a storage service's has its status in the second.</summary>
    private static string Lines(Exception error) =>
        string.Join(' ', error.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(4));

    /// <summary>The exception's type and the first line of its message.</summary>
    private static string Named(Exception error) => $"{error.GetType().Name}: {ErrorText.FirstLine(error)}";
}
