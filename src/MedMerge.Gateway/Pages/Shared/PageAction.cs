using MedMerge.Gateway.Access;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>What can be changed from pages.</summary>
/// <param name="Name">A verb, for the audit log and the documentation.</param>
/// <param name="Role">The least role that may, one of <see cref="Roles"/>.</param>
internal sealed record PageAction(string Name, string Role)
{
    private static readonly List<PageAction> Known = [];

    public static PageAction Accept { get; } = Create("Accept", Roles.Operator);

    public static PageAction Cancel { get; } = Create("Cancel", Roles.Submitter);

    public static PageAction Extend { get; } = Create("Extend", Roles.Submitter);

    public static PageAction Limit { get; } = Create("Change limits", Roles.Operator);

    public static PageAction Pause { get; } = Create("Pause", Roles.Submitter);

    public static PageAction Plan { get; } = Create("Dry run", Roles.Submitter);

    public static PageAction Remove { get; } = Create("Remove", Roles.Operator);

    public static PageAction Resume { get; } = Create("Resume", Roles.Submitter);

    public static PageAction Retry { get; } = Create("Retry", Roles.Submitter);

    public static PageAction RunNow { get; } = Create("Run now", Roles.Submitter);

    public static PageAction Skip { get; } = Create("Skip", Roles.Submitter);

    public static PageAction Submit { get; } = Create("Submit", Roles.Submitter);

    public static PageAction Upload { get; } = Create("Upload", Roles.Submitter);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PageAction> All => Known;

    private static PageAction Create(string name, string role)
    {
        Known.Add(new PageAction(name, role));
        return Known[^1];
    }
}
