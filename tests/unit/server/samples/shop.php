<?php
namespace App\Http;

use App\Models\User;

/** Lists and stores users of the shop. */
class UserController extends Controller
{
    private array $cache = [];

    /**
     * Shows one user by its number.
     */
    public function show(int $id): Response
    {
        $user = User::find($id);
        if (!$user) {
            abort(404, 'no such user');
        }
        $this->cache[$id] = $user;
        return response()->json(['id' => $user->id, 'name' => $user->name, 'mail' => $user->mail]);
    }

    public function store(Request $request): Response
    {
        $data = $request->validate(['name' => 'required|string', 'mail' => 'required|email']);
        $user = User::create($data);
        return response()->json($user, 201);
    }
}

function helper(string $x): string { return trim($x); }
