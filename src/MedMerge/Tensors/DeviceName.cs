using System.Globalization;

namespace MedMerge.Tensors;

/// <summary>
/// A device as specifications name it: <c>cpu</c>, <c>cuda:N</c>, or <c>cuda:N MODEL</c> with the GPU's model as <c>nvidia-smi</c> prints
/// it. Results are the same to the bit on all devices of a kind, which is <c>cpu</c> or <c>cuda MODEL</c>: GPUs of different models add in
/// different orders.
/// </summary>
internal static class DeviceName
{
    /// <summary>The host.</summary>
    public const string Cpu = "cpu";

    private const string Cuda = "cuda";

    /// <summary>The forms, for messages.</summary>
    public const string Forms = "'cpu', 'cuda:N' or 'cuda:N MODEL'";

    /// <summary>Whether that is a device's name; this machine need not have it.</summary>
    public static bool IsValid(string device) => device == Cpu || CudaIndex(device) is not null;

    /// <summary>The N of <c>cuda:N</c>; null for the host, or where it is no device's name.</summary>
    public static int? CudaIndex(string device)
    {
        if (!device.StartsWith(Cuda + ":", StringComparison.Ordinal)) return null;
        var digits = device.Split(' ', 2)[0].AsSpan(Cuda.Length + 1);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
    }

    /// <summary>The GPU's model, null where the name has none.</summary>
    public static string? Model(string device) => device.Split(' ', 2) is [_, { Length: > 0 } model] ? model : null;

    /// <summary><c>cpu</c>, <c>cuda MODEL</c>, or <c>cuda</c> where the model is not named.</summary>
    public static string Kind(string device) =>
        CudaIndex(device) is null ? Cpu : Model(device) is { } model ? $"{Cuda} {model.Replace('/', '-')}" : Cuda;

    /// <summary>Whether it says everything that results depend on.</summary>
    public static bool IsWhole(string device) => device == Cpu || Model(device) is not null;

    /// <summary>Adds a GPU's model.</summary>
    /// <exception cref="InputException">The name has another one.</exception>
    public static string With(string device, string model)
    {
        if (Model(device) is { } named && named != model)
            throw new InputException($"device '{device}' names a {named}; this machine's is a {model}.");
        return $"{Cuda}:{CudaIndex(device)} {model}";
    }

    /// <summary>Adds the model of a cluster's GPUs.</summary>
    /// <param name="kinds">Those of its nodes.</param>
    /// <exception cref="InputException">No node has a GPU now, or nodes have different models.</exception>
    public static string InCluster(string device, IEnumerable<string> kinds)
    {
        if (IsWhole(device)) return device;
        var models = kinds.Select(kind => kind.Split(' ', 2)).Where(kind => kind[0] == Cuda).Select(kind => kind[^1]).Distinct().Order();
        return models.ToList() switch
        {
            [var model] => $"{device} {model}",
            [] => throw new InputException(
                $"No node has a GPU now, so the model that results will depend on is not known: name it, 'device: {device} MODEL' with " +
                "the model as nvidia-smi prints it, and the sweep waits for such a node."),
            var several => throw new InputException(
                $"Nodes have GPUs of different models, and results depend on it: name one of {string.Join(", ", several)}, " +
                $"as in 'device: {device} {several[0]}'."),
        };
    }
}
