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
    /// <summary>Changes something.</summary>
    /// <param name="target">The path of what is changed, asked for afterwards.</param>
    /// <exception cref="InputException">The user may not, or does too much.</exception>
    public async Task RunAsync(PageAction action, Func<string> target, Func<Task> change)
    {
        var user = (await users.GetAuthenticationStateAsync()).User;
        var name = Users.NameOf(user);
        if (!(await authorization.AuthorizeAsync(user, action.Role)).Succeeded)
        {
            audit.Record(name, action.Name, target(), StatusCodes.Status403Forbidden);
            throw new InputException(name is null
                ? "Your session has ended; load the page again to sign in."
                : $"This takes the role '{action.Role}', which {name} does not have.");
        }
        using var lease = rates.Take(name ?? "");
        if (!lease.IsAcquired)
        {
            audit.Record(name, action.Name, target(), StatusCodes.Status429TooManyRequests);
            throw new InputException("That was too much in a minute; try again in a few seconds.");
        }
        CallUser.Current = name;
        try
        {
            await change();
            audit.Record(name, action.Name, target(), StatusCodes.Status200OK);
        }
        catch (Exception error)
        {
            audit.Record(name, action.Name, target(), Failures.Describe(error).Status);
            throw;
        }
    }
}
