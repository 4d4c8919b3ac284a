namespace MedMerge.Gateway;

/// <summary>How large and how many requests the gateway accepts; the section <c>Limits</c> of its configuration.</summary>
/// <param name="FileMiB">Largest file in MiB. Default and upper bound: 2047, because a plan reads a file into one array.</param>
/// <param name="RequestsPerMinute">Of one client; so many may come at once, too.</param>
internal sealed record GatewayLimits(int FileMiB, int RequestsPerMinute)
{
    /// <summary>The rate limiter's policy for requests that hold a whole file on the disk.</summary>
    public const string Uploads = "uploads";

    /// <summary>The rate limiter's policy for requests that build a plan.</summary>
    public const string Plans = "plans";

    private const int MaxFileMiB = 2047;
    private const int DefaultRequestsPerMinute = 6000;
    private const int MaxRequestsPerMinute = 1_000_000;

    /// <summary>Largest file in bytes.</summary>
    public long FileBytes => FileMiB * 1024L * 1024;

    /// <summary>Reads the limits from the configuration.</summary>
    /// <exception cref="InputException">A limit is out of range.</exception>
    public static GatewayLimits Read(IConfiguration configuration) => new(
        Read(configuration, "FileMiB", MaxFileMiB, MaxFileMiB),
        Read(configuration, "RequestsPerMinute", DefaultRequestsPerMinute, MaxRequestsPerMinute));

    private static int Read(IConfiguration configuration, string key, int unset, int max)
    {
        var text = configuration[$"Limits:{key}"] ?? $"{unset}";
        var isValid = int.TryParse(text, out var limit) && limit >= 1 && limit <= max;
        return isValid ? limit : throw new InputException($"Limits:{key} is '{text}'; it must be a whole number from 1 to {max}.");
    }
}
