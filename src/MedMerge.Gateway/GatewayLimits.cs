namespace MedMerge.Gateway;

/// <summary>What the gateway takes; the section <c>GatewayLimits</c> of its configuration.</summary>
/// <param name="FileMiB">The largest file. Default and upper bound: 2047, for one array holds it.</param>
internal sealed record GatewayLimits(int FileMiB)
{
    /// <summary>The rate limiter's policy for requests that hold a whole file in memory.</summary>
    public const string Uploads = "uploads";

    /// <summary>The rate limiter's policy for requests that build a plan.</summary>
    public const string Plans = "plans";

    private const int MaxFileMiB = 2047;

    /// <summary>The largest file in bytes.</summary>
    public long FileBytes => FileMiB * 1024L * 1024;

    /// <summary>Reads them.</summary>
    /// <exception cref="InputException">One is out of bounds.</exception>
    public static GatewayLimits Read(IConfiguration configuration)
    {
        var text = configuration["Limits:FileMiB"] ?? $"{MaxFileMiB}";
        return int.TryParse(text, out var size) && size is >= 1 and <= MaxFileMiB
            ? new GatewayLimits(size)
            : throw new InputException($"Limits:FileMiB is '{text}'; it must be a whole number from 1 to {MaxFileMiB}.");
    }
}
