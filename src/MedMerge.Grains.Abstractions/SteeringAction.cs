namespace MedMerge.Grains;

/// <summary>What a user has changed of a sweep.</summary>
/// <param name="User">The user's name.</param>
/// <param name="Action">As the command calls it: <c>pause</c>, <c>skip 3</c>.</param>
[GenerateSerializer, Immutable]
public sealed record SteeringAction(
    [property: Id(0)] DateTimeOffset When,
    [property: Id(1)] string User,
    [property: Id(2)] string Action);
