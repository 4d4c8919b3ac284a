namespace MedMerge.Cli.Downloads;

/// <summary>How patient a download is.</summary>
internal sealed record DownloadOptions
{
    /// <summary>Tries in a row that bring no more of the file, after which it is given up. Default: 5.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>How much more of the file a try must bring to count as one that did, in bytes. Default: 1 MiB.</summary>
    public long MinProgress { get; init; } = 1 << 20;

    /// <summary>The pause after a first failed try; it doubles with each one. Default: 1 s.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause, also where the server asks for a longer one. Default: 1 min.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A connection on which nothing comes for so long is given up. Default: 30 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many redirects are followed. Default: 5.</summary>
    public int MaxRedirects { get; init; } = 5;
}
