using System.Security.Claims;

namespace MedMerge.Gateway.Access;

/// <summary>Who sends a request.</summary>
internal static class Users
{
    private const int MaxName = 128;

    /// <summary>A user who was authenticated by this gateway itself.</summary>
    /// <param name="role">One of <see cref="Roles"/>; null for none.</param>
    public static ClaimsPrincipal Create(string name, string? role, string scheme)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], scheme);
        if (role is not null) identity.AddClaim(new Claim(ClaimTypes.Role, role));
        return new ClaimsPrincipal(identity);
    }

    /// <summary>
    /// The user's name as records and logs show it, without control characters and at most 128 characters long; null where nobody is
    /// signed in.
    /// </summary>
    public static string? NameOf(ClaimsPrincipal user)
    {
        if (user.Identity is not { IsAuthenticated: true, Name: var name }) return null;
        return new string([.. (name ?? "unnamed").Where(character => !char.IsControl(character)).Take(MaxName)]);
    }

    /// <summary>The highest of the user's roles; null where there is none.</summary>
    public static string? RoleOf(ClaimsPrincipal user) => Roles.All.LastOrDefault(user.IsInRole);
}
