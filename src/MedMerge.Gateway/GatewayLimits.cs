namespace MedMerge.Gateway;

/// <summary>The largest requests that the gateway accepts; the section <c>Limits</c> of its configuration.</summary>
/// <param name="FileMiB">Largest file in MiB. Default and upper bound: 2047, because a plan reads a file into one array.</param>
internal sealed record GatewayLimits(int FileMiB)
{
    /// <summary>The rate limiter's policy for requests that hold a whole file on the disk.</summary>
    public const string Uploads = "uploads";

    /// <summary>The rate limiter's policy for requests that build a plan.</summary>
    public const string Plans = "plans";

    private const int MaxFileMiB = 2047;

    /// <summary>Largest file in bytes.</summary>
    public long FileBytes => FileMiB * 1024L * 1024;

    /// <summary>Reads the limits from the configuration.</summary>
    /// <exception cref="InputException">A limit is out of range.</exception>
    public static GatewayLimits Read(IConfiguration configuration)
    {
        var text = configuration["Limits:FileMiB"] ?? $"{MaxFileMiB}";
        var isValid = int.TryParse(text, out var size) && size is >= 1 and <= MaxFileMiB;
        if (!isValid) throw new InputException($"Limits:FileMiB is '{text}'; it must be a whole number from 1 to {MaxFileMiB}.");
        return new GatewayLimits(size);
    }
}
