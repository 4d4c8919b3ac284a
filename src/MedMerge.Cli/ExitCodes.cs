namespace MedMerge.Cli;

/// <summary>What the process returns.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>It failed for a reason that is not the user's.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage or bad input.</summary>
    public const int BadInput = 2;

    /// <summary>Interrupted (Ctrl-C, SIGTERM); started again, it goes on.</summary>
    public const int Interrupted = 130;
}
