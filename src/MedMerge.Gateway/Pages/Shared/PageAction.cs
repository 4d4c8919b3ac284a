using MedMerge.Gateway.Access;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>What can be changed from pages.</summary>
/// <param name="Name">A verb, for the audit log and the documentation.</param>
/// <param name="Role">The least role that may, one of <see cref="Roles"/>.</param>
internal sealed record PageAction(string Name, string Role)
{
    public static PageAction Accept { get; } = new("Accept", Roles.Operator);

    public static PageAction Cancel { get; } = new("Cancel", Roles.Submitter);

    public static PageAction Extend { get; } = new("Extend", Roles.Submitter);

    public static PageAction Limit { get; } = new("Change limits", Roles.Operator);

    public static PageAction Pause { get; } = new("Pause", Roles.Submitter);

    public static PageAction Plan { get; } = new("Dry run", Roles.Submitter);

    public static PageAction Remove { get; } = new("Remove", Roles.Operator);

    public static PageAction Resume { get; } = new("Resume", Roles.Submitter);

    public static PageAction Retry { get; } = new("Retry", Roles.Submitter);

    public static PageAction RunNow { get; } = new("Run now", Roles.Submitter);

    public static PageAction Skip { get; } = new("Skip", Roles.Submitter);

    public static PageAction Submit { get; } = new("Submit", Roles.Submitter);

    public static PageAction Upload { get; } = new("Upload", Roles.Submitter);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PageAction> All { get; } =
        [Accept, Cancel, Extend, Limit, Pause, Plan, Remove, Resume, Retry, RunNow, Skip, Submit, Upload];
}
