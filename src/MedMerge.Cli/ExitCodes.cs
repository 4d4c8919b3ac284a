namespace MedMerge.Cli;

/// <summary>The exit codes of the process.</summary>
public static class ExitCodes
{
    /// <summary>Success.</summary>
    public const int Done = 0;

    /// <summary>A failure that the user did not cause.</summary>
    public const int Failed = 1;

    /// <summary>Invalid usage or input.</summary>
    public const int BadInput = 2;

    /// <summary>The last run of a benchmark is flagged.</summary>
    public const int Regression = 3;

    /// <summary>Interrupted (Ctrl-C, SIGTERM); the same command resumes.</summary>
    public const int Interrupted = 130;
}
