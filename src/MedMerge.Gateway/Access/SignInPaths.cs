namespace MedMerge.Gateway.Access;

/// <summary>The paths of signing in and out.</summary>
internal static class SignInPaths
{
    /// <summary>The page, and what its form posts to.</summary>
    public const string Page = "/sign-in";

    /// <summary>Signs out; a form posts to it.</summary>
    public const string SignOut = "/sign-out";

    /// <summary>Goes on to the identity provider, which comes back to <see cref="Callback"/>.</summary>
    public const string Provider = "/sign-in/provider";

    /// <summary>Where the identity provider sends browsers back to.</summary>
    public const string Callback = "/sign-in/callback";

    /// <summary>What queries and forms call the page to go on to.</summary>
    public const string ReturnUrl = "returnUrl";
}
