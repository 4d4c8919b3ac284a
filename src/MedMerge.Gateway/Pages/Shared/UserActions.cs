using MedMerge.Gateway.Access;
using MedMerge.Grains;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>What users change from pages: as far as their role allows, in their name, and in the audit log, as through the API.</summary>
internal sealed class UserActions(
    AuthenticationStateProvider users,
    IAuthorizationService authorization,
    ClientRates rates,
    AuditLog audit)
{
    private const string Nobody = "pages"; // of a gateway that is open to its own machine

    /// <summary>Changes something.</summary>
    /// <param name="role">The least role that may, one of <see cref="Roles"/>.</param>
    /// <param name="action">A verb for the log.</param>
    /// <param name="target">The path of what is changed.</param>
    /// <exception cref="InputException">The user may not, or does too much.</exception>
    public async Task RunAsync(string role, string action, string target, Func<Task> change)
    {
        var user = (await users.GetAuthenticationStateAsync()).User;
        var name = Users.NameOf(user);
        if (!(await authorization.AuthorizeAsync(user, role)).Succeeded)
        {
            audit.Record(name, action, target, StatusCodes.Status403Forbidden);
            throw new InputException($"This takes the role '{role}', which {name ?? "you"} does not have.");
        }
        using var lease = rates.Take(name ?? Nobody);
        if (!lease.IsAcquired)
        {
            audit.Record(name, action, target, StatusCodes.Status429TooManyRequests);
            throw new InputException("That was too much in a minute; try again in a few seconds.");
        }
        CallUser.Current = name;
        try
        {
            await change();
            audit.Record(name, action, target, StatusCodes.Status200OK);
        }
        catch (Exception error)
        {
            audit.Record(name, action, target, Failures.Describe(error).Status);
            throw;
        }
    }
}
