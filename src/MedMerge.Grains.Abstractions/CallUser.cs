using Orleans.Runtime;

namespace MedMerge.Grains;

/// <summary>
/// On whose behalf grains are called. It travels beside a call, so that messages are the same with and without, and ends with the
/// asynchronous method that sets it.
/// </summary>
public static class CallUser
{
    private const string Key = "medmerge.user";

    /// <summary>The user's name; null where nobody is known.</summary>
    public static string? Current
    {
        get => RequestContext.Get(Key) as string;
        set
        {
            if (value is null) RequestContext.Remove(Key);
            else RequestContext.Set(Key, value);
        }
    }
}
