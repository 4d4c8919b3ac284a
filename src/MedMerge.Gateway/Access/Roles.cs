namespace MedMerge.Gateway.Access;

/// <summary>
/// What a user may do: each role includes those before it. An authorization policy of the same name asks for a role or one that
/// includes it.
/// </summary>
internal static class Roles
{
    /// <summary>Reads everything.</summary>
    public const string Viewer = "viewer";

    /// <summary>Also uploads files, submits sweeps and schedules, and steers them.</summary>
    public const string Submitter = "submitter";

    /// <summary>Also removes things, changes whose work comes first, accepts runs of benchmarks, and sees Orleans' dashboard.</summary>
    public const string Operator = "operator";

    /// <summary>All roles, the least first.</summary>
    public static IReadOnlyList<string> All { get; } = [Viewer, Submitter, Operator];

    /// <summary>A role and those that include it.</summary>
    public static IEnumerable<string> AtLeast(string role) => All.SkipWhile(other => other != role);
}
